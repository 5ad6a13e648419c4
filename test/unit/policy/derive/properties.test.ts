import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PolicyKind } from '../../../../src/policy/derive/emit.ts';
import type { Baseline, DerivedPolicy, Widening } from '../../../../src/policy/derive/model.ts';
import { evaluate } from '../../../support/policy-evaluator.ts';
import { cluster, derive, everything, options, packetOf, podOf, type Connection } from './random-cluster.ts';

const kinds: readonly PolicyKind[] = [
  'NetworkPolicy',
  'CalicoNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
];

function isSupported(kind: PolicyKind, how: string): boolean {
  return !how.startsWith('icmp') || kind === 'CalicoNetworkPolicy' || kind === 'StagedNetworkPolicy';
}

describe.each(kinds)('a derived %s', (kind) => {
  test('denies no traffic that was observed as allowed', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(cluster, options, (connections, change) => {
        const { policies } = derive(connections, change, kind);
        // Without blocked connections: their matching depends on labels that one end may not report.
        const isClear = ({ src, dst, how }: Connection) =>
          !connections.some(
            (other) =>
              other.how === how &&
              other.ingress === 'deny' &&
              podOf(other.src).ns === podOf(src).ns &&
              podOf(other.dst).ns === podOf(dst).ns,
          );
        for (const connection of connections.filter(
          (entry) => entry.egress === 'allow' && entry.ingress === 'allow' && isSupported(kind, entry.how),
        )) {
          const packet = packetOf(connection.src, connection.dst, connection.how);
          expect(evaluate(policies, 'Ingress', packet)).not.toBe('denied');
          if (isClear(connection)) expect(evaluate(policies, 'Egress', packet)).not.toBe('denied');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('allows nothing beyond its evidence and the stated widenings', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(cluster, options, (connections, change) => {
        const { derived, policies } = derive(connections, change, kind);
        const arrived = connections.filter((entry) => entry.egress === 'allow' && entry.ingress === 'allow');
        for (const side of ['Egress', 'Ingress'] as const)
          for (const [src, dst, how] of everything) {
            if (evaluate(policies, side, packetOf(src, dst, how)) !== 'allowed') continue;
            if (side === 'Egress' && isBaseline(change.baseline, dst, how)) continue;
            const endsOf = (entry: { src: string; dst: string }) =>
              side === 'Egress' ? ([entry.src, entry.dst] as const) : ([entry.dst, entry.src] as const);
            const [own, other] = endsOf({ src, dst });
            const evidence = arrived
              .filter((entry) => entry.how === how)
              .map(endsOf)
              .filter(([from, to]) => nsOf(from) === nsOf(own) && nsOf(to) === nsOf(other));
            expect(evidence, `${side} ${src} -> ${dst} ${how}`).not.toEqual([]);
            const policy = derived.policies.find(
              ({ namespace, identity }) =>
                namespace === nsOf(own) && (identity === '' || own === `${namespace}/${identity}`),
            );
            // A flow without the label may be from any pod.
            if (evidence.every(([from]) => from !== own && isLabelled(from)))
              expect(policy?.warnings.join()).toMatch(/selects every pod/);
            if (evidence.every(([, to]) => to !== other && isLabelled(to)))
              expect(wideningsTo(policy, nsOf(other))).toContain('namespace-instead-of-identity');
          }
      }),
      { numRuns: 40 },
    );
  });
});

function isBaseline(baseline: Baseline, dst: string, how: string): boolean {
  if (baseline.dns && dst === 'kube-system' && (how === 'udp 53' || how === 'tcp 53')) return true;
  if (baseline.databases && dst === 'dbaas/mysql' && how === 'tcp 3306') return true;
  return baseline.redis && dst === 'redis' && how === 'tcp 6379';
}

function nsOf(text: string): string {
  return podOf(text).ns;
}

function isLabelled(text: string): boolean {
  return text.includes('/');
}

function wideningsTo(policy: DerivedPolicy | undefined, ns: string): Widening[] {
  return (policy?.rules ?? []).flatMap(({ peer, ports }) =>
    peer.kind === 'namespace' && peer.ns === ns ? ports.flatMap(({ widenings }) => widenings) : [],
  );
}
