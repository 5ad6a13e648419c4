import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../../../src/reports/allowlist/derive.ts';
import { emitPolicies, type PolicyKind } from '../../../../src/reports/allowlist/emit.ts';
import type {
  Baseline,
  DerivedPolicy,
  DeriveOptions,
  Widening,
} from '../../../../src/reports/allowlist/model.ts';
import type { FlowEvidence } from '../../../../src/trail/evidence.ts';
import { evaluate, readPolicies, type Packet, type Pod } from '../../../support/policy-evaluator.ts';
import { complete, egress, fact } from './facts.ts';

const label = 'service-identity';
const kinds: readonly PolicyKind[] = [
  'NetworkPolicy',
  'CalicoNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
];
const pods = ['a/x', 'a/y', 'a', 'b/x', 'b/Y_1', 'c', 'c/x', 'kube-system', 'redis'];
const hows = ['tcp 80', 'tcp 6379', 'udp 53', 'tcp 53', 'icmp 0'];

interface Connection {
  src: string;
  dst: string;
  how: string;
  egress: 'allow' | 'deny';
  ingress: 'allow' | 'deny';
}

const verdict = fc.constantFrom<Connection['egress']>('allow', 'allow', 'allow', 'deny');
const cluster: fc.Arbitrary<Connection[]> = fc.uniqueArray(
  fc.record({
    src: fc.constantFrom(...pods),
    dst: fc.constantFrom(...pods),
    how: fc.constantFrom(...hows),
    egress: verdict,
    ingress: verdict,
  }),
  // One connection has one verdict; what changes its mind is contested, and tested by itself.
  { maxLength: 14, selector: ({ src, dst, how }) => `${src} ${dst} ${how}` },
);
const options = fc.record({
  directions: fc.constantFrom<DeriveOptions['directions']>(['egress'], ['ingress'], ['egress', 'ingress']),
  identities: fc.boolean(),
  baseline: fc.constantFrom(egress.baseline, { ...egress.baseline, dns: true, redis: true }),
});

function report(connections: readonly Connection[]): FlowEvidence[] {
  return connections.flatMap(({ src, dst, how, egress: out, ingress: into }) => [
    fact(src, dst, how, { action: out }),
    ...(out === 'allow' ? [fact(src, dst, how, { reporter: 'dst', action: into })] : []),
  ]);
}

function podOf(text: string): Pod {
  const [ns = '', identity] = text.split('/');
  return {
    ns,
    labels: {
      ...(identity === undefined ? {} : { [label]: identity }),
      ...(ns === 'kube-system' ? { 'k8s-app': 'kube-dns' } : {}),
    },
  };
}

function packetOf(src: string, dst: string, how: string): Packet {
  const [protocol = '', port = '0'] = how.split(' ');
  return { src: podOf(src), dst: podOf(dst), protocol, port: Number(port) };
}

function derive(connections: readonly Connection[], change: Partial<DeriveOptions>, kind: PolicyKind) {
  const derived = deriveAllowlist(report(connections), () => complete, { ...egress, ...change });
  const files = emitPolicies(derived, {
    kind,
    tier: 'default',
    order: 100,
    identityLabel: label,
    periodText: 'on 2026-11-22 (UTC)',
    showExternals: true,
  });
  return { derived, policies: files.flatMap(({ content }) => readPolicies(content)) };
}

function isSayable(kind: PolicyKind, how: string): boolean {
  return !how.startsWith('icmp') || kind === 'CalicoNetworkPolicy' || kind === 'StagedNetworkPolicy';
}

describe.each(kinds)('a derived %s', (kind) => {
  test('denies nothing that was observed to be allowed', () => {
    fc.assert(
      fc.property(cluster, options, (connections, change) => {
        const { policies } = derive(connections, change, kind);
        // Whether a blocked connection was the same as another depends on labels that one end may lack: those apart.
        const isClear = ({ src, dst, how }: Connection) =>
          !connections.some(
            (other) =>
              other.how === how &&
              other.ingress === 'deny' &&
              podOf(other.src).ns === podOf(src).ns &&
              podOf(other.dst).ns === podOf(dst).ns,
          );
        for (const connection of connections.filter(
          (entry) => entry.egress === 'allow' && entry.ingress === 'allow' && isSayable(kind, entry.how),
        )) {
          const packet = packetOf(connection.src, connection.dst, connection.how);
          expect(evaluate(policies, 'Ingress', packet)).not.toBe('denied');
          if (isClear(connection)) expect(evaluate(policies, 'Egress', packet)).not.toBe('denied');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('allows nothing beyond its evidence and the widenings that it names', () => {
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
            // A flow without the label may have been of any pod.
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

const everything = pods.flatMap((src) => pods.flatMap((dst) => hows.map((how) => [src, dst, how] as const)));

function isBaseline(baseline: Baseline, dst: string, how: string): boolean {
  if (baseline.dns && dst === 'kube-system' && (how === 'udp 53' || how === 'tcp 53')) return true;
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
