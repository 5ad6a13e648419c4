import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/**
 * Evaluates NetworkPolicies as their documentation describes, for pods and namespaces with labels. It shares no code
 * with the product's replay. It throws on unsupported fields.
 */
export interface Pod {
  ns: string;
  labels: Record<string, string>;
}

export interface Packet {
  src: Pod;
  dst: Pod;
  protocol: string;
  port: number;
}

const matchLabels = z.strictObject({ matchLabels: z.record(z.string(), z.string()).optional() });
const kubernetesPeer = z.strictObject({
  namespaceSelector: matchLabels.optional(),
  podSelector: matchLabels.optional(),
  ipBlock: z.strictObject({ cidr: z.string() }).optional(),
});
const kubernetesPort = z.strictObject({ protocol: z.string(), port: z.number().optional() });
const metadata = z.looseObject({ name: z.string(), namespace: z.string() });
const policyTypes = z.array(z.enum(['Ingress', 'Egress'])).min(1);
const kubernetesSpec = z.strictObject({
  stagedAction: z.literal('Set').optional(),
  podSelector: matchLabels,
  policyTypes,
  egress: z
    .array(z.strictObject({ to: z.array(kubernetesPeer), ports: z.array(kubernetesPort).min(1) }))
    .optional(),
  ingress: z
    .array(z.strictObject({ from: z.array(kubernetesPeer), ports: z.array(kubernetesPort).min(1) }))
    .optional(),
});
const entity = z.strictObject({
  selector: z.string().optional(),
  namespaceSelector: z.string().optional(),
  nets: z.array(z.string()).optional(),
  ports: z.array(z.number()).optional(),
});
const calicoRule = z.strictObject({
  action: z.literal('Allow'),
  protocol: z.union([z.string(), z.number()]),
  source: entity.optional(),
  destination: entity.optional(),
  metadata: z.unknown(),
});
const calicoSpec = z.strictObject({
  stagedAction: z.literal('Set').optional(),
  tier: z.literal('default'),
  order: z.number().optional(),
  selector: z.string(),
  types: policyTypes,
  egress: z.array(calicoRule).optional(),
  ingress: z.array(calicoRule).optional(),
});
const kubernetesPolicy = z.strictObject({
  apiVersion: z.enum(['networking.k8s.io/v1', 'projectcalico.org/v3']),
  kind: z.enum(['NetworkPolicy', 'StagedKubernetesNetworkPolicy']),
  metadata,
  spec: kubernetesSpec,
});
const calicoPolicy = z.strictObject({
  apiVersion: z.literal('projectcalico.org/v3'),
  kind: z.enum(['NetworkPolicy', 'StagedNetworkPolicy']),
  metadata,
  spec: calicoSpec,
});
const policy = z.union([kubernetesPolicy, calicoPolicy]);
export type Policy = z.infer<typeof policy>;

export function readPolicies(text: string): Policy[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return policy.parse(document.toJS());
  });
}

export type Answer = 'allowed' | 'denied' | 'not selected';

/** The verdict of the policies on one side of a connection. */
export function evaluate(policies: readonly Policy[], side: 'Egress' | 'Ingress', packet: Packet): Answer {
  const [own, other] = side === 'Egress' ? [packet.src, packet.dst] : [packet.dst, packet.src];
  const selecting = policies.filter((entry) => selects(entry, side, own));
  if (selecting.length === 0) return 'not selected';
  return selecting.some((entry) => allows(entry, side, other, packet)) ? 'allowed' : 'denied';
}

function selects({ metadata: { namespace }, spec }: Policy, side: 'Egress' | 'Ingress', pod: Pod): boolean {
  if (namespace !== pod.ns) return false;
  if ('podSelector' in spec)
    return spec.policyTypes.includes(side) && hasLabels(spec.podSelector, pod.labels);
  return spec.types.includes(side) && isSelected(spec.selector, pod.labels);
}

function allows({ spec }: Policy, side: 'Egress' | 'Ingress', other: Pod, packet: Packet): boolean {
  if ('podSelector' in spec) {
    const rules =
      side === 'Egress'
        ? (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
        : (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
    return rules.some(
      ({ peers, ports }) =>
        peers.some(
          (peer) =>
            peer.ipBlock === undefined &&
            hasLabels(peer.namespaceSelector ?? {}, { 'kubernetes.io/metadata.name': other.ns }) &&
            hasLabels(peer.podSelector ?? {}, other.labels),
        ) &&
        ports.some(
          ({ protocol, port }) =>
            protocol.toLowerCase() === packet.protocol && (port === undefined || port === packet.port),
        ),
    );
  }
  const rules = (side === 'Egress' ? spec.egress : spec.ingress) ?? [];
  return rules.some((rule) => {
    const peer = side === 'Egress' ? rule.destination : rule.source;
    if (peer?.nets !== undefined) return false;
    const ports = rule.destination?.ports;
    return (
      String(rule.protocol).toLowerCase() === packet.protocol &&
      (ports === undefined || ports.includes(packet.port)) &&
      isSelected(peer?.namespaceSelector ?? 'all()', { 'projectcalico.org/name': other.ns }) &&
      isSelected(peer?.selector ?? 'all()', { ...other.labels, 'projectcalico.org/orchestrator': 'k8s' })
    );
  });
}

function hasLabels(selector: z.infer<typeof matchLabels>, labels: Record<string, string>): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function isSelected(selector: string, labels: Record<string, string>): boolean {
  if (selector === 'all()') return true;
  if (selector === 'global()') return false;
  if (selector.includes(' && ')) return selector.split(' && ').every((term) => isSelected(term, labels));
  const [, key, value] = /^([\w./-]+) == '([^']*)'$/.exec(selector) ?? [];
  if (key === undefined) throw new Error(`the evaluator does not support the selector ${selector}`);
  return labels[key] === value;
}
