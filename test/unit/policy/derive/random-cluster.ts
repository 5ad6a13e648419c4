import fc from 'fast-check';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import { emitPolicies, type PolicyKind } from '../../../../src/policy/derive/emit.ts';
import type { DeriveOptions } from '../../../../src/policy/derive/model.ts';
import type { FlowEvidence } from '../../../../src/trail/facts/evidence.ts';
import { readPolicies, type Packet, type Pod } from '../../../support/policy-evaluator.ts';
import { complete, egress, fact } from './facts.ts';

const label = 'service-identity';
const pods = ['a/x', 'a/y', 'a', 'b/x', 'b/Y_1', 'c', 'c/x', 'kube-system', 'redis', 'dbaas/mysql'];
const hows = ['tcp 80', 'tcp 6379', 'tcp 3306', 'udp 53', 'tcp 53', 'icmp 0'];

export interface Connection {
  src: string;
  dst: string;
  how: string;
  egress: 'allow' | 'deny';
  ingress: 'allow' | 'deny';
}

const verdict = fc.constantFrom<Connection['egress']>('allow', 'allow', 'allow', 'deny');
export const cluster: fc.Arbitrary<Connection[]> = fc.uniqueArray(
  fc.record({
    src: fc.constantFrom(...pods),
    dst: fc.constantFrom(...pods),
    how: fc.constantFrom(...hows),
    egress: verdict,
    ingress: verdict,
  }),
  // Each connection has one verdict; contested ones are tested separately.
  { maxLength: 14, selector: ({ src, dst, how }) => `${src} ${dst} ${how}` },
);
export const options = fc.record({
  directions: fc.constantFrom<DeriveOptions['directions']>(['egress'], ['ingress'], ['egress', 'ingress']),
  identities: fc.boolean(),
  baseline: fc.constantFrom(
    egress.baseline,
    { ...egress.baseline, dns: true, redis: true },
    { dns: true, dnsAddresses: ['10.96.0.10/32', 'fd00::a/128'], databases: true, redis: true },
  ),
});

function report(connections: readonly Connection[]): FlowEvidence[] {
  return connections.flatMap(({ src, dst, how, egress: out, ingress: into }) => [
    fact(src, dst, how, { action: out }),
    ...(out === 'allow' ? [fact(src, dst, how, { reporter: 'dst', action: into })] : []),
  ]);
}

export function podOf(text: string): Pod {
  const [ns = '', identity] = text.split('/');
  return {
    ns,
    labels: {
      ...(identity === undefined ? {} : { [label]: identity }),
      ...(ns === 'kube-system' ? { 'k8s-app': 'kube-dns' } : {}),
    },
  };
}

export function packetOf(src: string, dst: string, how: string): Packet {
  const [protocol = '', port = '0'] = how.split(' ');
  return { src: podOf(src), dst: podOf(dst), protocol, port: Number(port) };
}

export function derive(connections: readonly Connection[], change: Partial<DeriveOptions>, kind: PolicyKind) {
  return deriveFrom(report(connections), change, kind);
}

export function deriveFrom(
  evidence: readonly FlowEvidence[],
  change: Partial<DeriveOptions>,
  kind: PolicyKind,
) {
  const derived = deriveAllowlist(evidence, () => complete, { ...egress, ...change });
  const files = emitPolicies(derived, {
    kind,
    tier: 'default',
    order: 100,
    identityLabel: label,
    clusterName: '',
    periodText: 'on 2026-11-22 (UTC)',
    showExternals: true,
  });
  return { derived, policies: files.flatMap(({ content }) => readPolicies(content)) };
}

/** All possible connections. */
export const everything = pods.flatMap((src) =>
  pods.flatMap((dst) => hows.map((how) => [src, dst, how] as const)),
);

const anyEnds = [...pods, 'host', 'pub', 'pvt', 'set:ranges', 'partners/set'];
const anyHows = [
  'tcp 80',
  'tcp -1',
  'tcp 0',
  'udp 53',
  'sctp 36412',
  'udplite 9',
  'udplite -1',
  'icmp 0',
  '47 0',
  'odd 0',
];
const anyAction = fc.constantFrom<FlowEvidence['action']>(
  'allow',
  'allow',
  'allow',
  'deny',
  'pass',
  'unspecified',
);

/** Facts of every kind of end, protocol, action and reporter. */
export const anyEvidence: fc.Arbitrary<FlowEvidence[]> = fc.array(
  fc
    .record({
      src: fc.constantFrom(...anyEnds),
      dst: fc.constantFrom(...anyEnds),
      how: fc.constantFrom(...anyHows),
      action: anyAction,
      reporter: fc.constantFrom<FlowEvidence['reporter']>('src', 'dst'),
    })
    .map(({ src, dst, how, action, reporter }) => asPartners(fact(src, dst, how, { action, reporter }))),
  { minLength: 1, maxLength: 30 },
);

/** Replaces `partners/set` by a network set with a namespace. */
function asPartners(flow: FlowEvidence): FlowEvidence {
  const asSet = (end: FlowEvidence['src']) =>
    end.ns === 'partners' ? { ...end, kind: 'networkset' as const } : end;
  return { ...flow, src: asSet(flow.src), dst: asSet(flow.dst) };
}

export const anyOptions: fc.Arbitrary<Partial<DeriveOptions>> = fc.record({
  directions: fc.constantFrom<DeriveOptions['directions']>(['egress'], ['ingress'], ['egress', 'ingress']),
  identities: fc.boolean(),
  allowManyPorts: fc.boolean(),
  baseline: fc.record({
    dns: fc.boolean(),
    dnsAddresses: fc.constantFrom<string[]>([], ['10.96.0.10/32'], ['169.254.20.10/32', 'fd00::a/128']),
    databases: fc.boolean(),
    redis: fc.boolean(),
  }),
});

/** The files of a kind of policy, with any combination of options. */
export function emitAny(
  evidence: readonly FlowEvidence[],
  change: Partial<DeriveOptions>,
  kind: PolicyKind,
): string[] {
  const derived = deriveAllowlist(evidence, () => complete, { ...egress, ...change });
  return emitPolicies(derived, {
    kind,
    tier: 'wave1',
    order: 50,
    identityLabel: label,
    clusterName: 'home',
    periodText: 'on 2026-11-22 (UTC)',
    showExternals: true,
  }).map(({ content }) => content);
}
