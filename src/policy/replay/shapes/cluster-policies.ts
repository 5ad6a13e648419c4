import { z } from 'zod';
import { parseNet } from '../../../text/net.ts';
import { labelSelector, portNumber } from './common.ts';

/**
 * The cluster-wide policies of the Kubernetes network policy API. Calico 3.32 implements ClusterNetworkPolicy
 * (v1alpha2); Calico 3.30 and 3.31 implement its predecessors AdminNetworkPolicy and BaselineAdminNetworkPolicy
 * (v1alpha1). The predecessors are read as their successor.
 */
const pods = z.strictObject({ namespaceSelector: labelSelector, podSelector: labelSelector });
const networks = z.array(
  z
    .string()
    .refine(
      (text) => parseNet(text)?.hasLength === true,
      'is not a range in CIDR notation; for example 10.0.0.0/8',
    ),
);
const subject = oneOf({ namespaces: labelSelector.optional(), pods: pods.optional() });
const from = z.array(oneOf({ namespaces: labelSelector.optional(), pods: pods.optional() }));
const to = z.array(
  oneOf({
    namespaces: labelSelector.optional(),
    pods: pods.optional(),
    networks: networks.optional(),
    nodes: labelSelector.optional(),
    domainNames: z.array(z.string()).optional(),
  }),
);

const range = z
  .strictObject({ start: portNumber, end: portNumber })
  .refine(({ start, end }) => start <= end, { path: ['end'], message: 'is less than start; swap them' });
const destination = z.strictObject({
  destinationPort: oneOf({ number: portNumber.optional(), range: range.optional() }).optional(),
});
const protocols = z
  .array(
    oneOf({
      tcp: destination.optional(),
      udp: destination.optional(),
      sctp: destination.optional(),
      destinationNamedPort: z.string().optional(),
    }),
  )
  .default([]);
const name = z.string().optional();
const action = z.enum(['Accept', 'Deny', 'Pass']);

/** Spec of a ClusterNetworkPolicy, policy.networking.k8s.io/v1alpha2. */
export const clusterSpec = z.strictObject({
  tier: z.enum(['Admin', 'Baseline']),
  priority: priority(),
  subject,
  ingress: z.array(z.strictObject({ name, action, from, protocols })).default([]),
  egress: z.array(z.strictObject({ name, action, to, protocols })).default([]),
});
export type ClusterSpec = z.infer<typeof clusterSpec>;
export type ClusterRule = ClusterSpec['egress'][number] | ClusterSpec['ingress'][number];
export type ClusterPeer = z.infer<typeof to>[number];
export type ClusterProtocol = ClusterSpec['egress'][number]['protocols'][number];

const oldProtocol = z.enum(['TCP', 'UDP', 'SCTP']).default('TCP');
const oldPorts = z
  .array(
    oneOf({
      portNumber: z.strictObject({ protocol: oldProtocol, port: portNumber }).optional(),
      portRange: z.strictObject({ protocol: oldProtocol, start: portNumber, end: portNumber }).optional(),
      namedPort: z.string().optional(),
    }),
  )
  .default([]);
const oldRules = {
  ingress: z
    .array(z.strictObject({ name, action: z.enum(['Allow', 'Deny', 'Pass']), from, ports: oldPorts }))
    .default([]),
  egress: z
    .array(z.strictObject({ name, action: z.enum(['Allow', 'Deny', 'Pass']), to, ports: oldPorts }))
    .default([]),
};

/** Spec of an AdminNetworkPolicy, policy.networking.k8s.io/v1alpha1. */
export const adminSpec = z
  .strictObject({ priority: priority(), subject, ...oldRules })
  .transform((spec) => asClusterSpec(spec, 'Admin'));

/** Spec of a BaselineAdminNetworkPolicy, policy.networking.k8s.io/v1alpha1. */
export const baselineSpec = z
  .strictObject({ subject, ...oldRules })
  .transform((spec) => asClusterSpec({ ...spec, priority: baselineOrder }, 'Baseline'));

/** The order that Calico gives a converted BaselineAdminNetworkPolicy. */
const baselineOrder = 1_000;

interface OldSpec extends Pick<ClusterSpec, 'priority' | 'subject'> {
  ingress: z.infer<typeof oldRules.ingress>;
  egress: z.infer<typeof oldRules.egress>;
}

function asClusterSpec(spec: OldSpec, tier: ClusterSpec['tier']): ClusterSpec {
  const common = ({
    name: text,
    action: old,
    ports,
  }: OldSpec['egress'][number] | OldSpec['ingress'][number]) => ({
    name: text,
    action: old === 'Allow' ? ('Accept' as const) : old,
    protocols: ports.map(asProtocol),
  });
  return {
    tier,
    priority: spec.priority,
    subject: spec.subject,
    ingress: spec.ingress.map((rule) => ({ ...common(rule), from: rule.from })),
    egress: spec.egress.map((rule) => ({ ...common(rule), to: rule.to })),
  };
}

function asProtocol({
  portNumber: one,
  portRange: many,
  namedPort,
}: z.infer<typeof oldPorts>[number]): ClusterProtocol {
  if (namedPort !== undefined) return { destinationNamedPort: namedPort };
  const port = one ? { number: one.port } : many ? { range: { start: many.start, end: many.end } } : {};
  const protocol = (one ?? many)?.protocol ?? 'TCP';
  return { [protocol.toLowerCase()]: { destinationPort: port } };
}

function priority() {
  return z.int().min(0, 'is not from 0 to 1000').max(1_000, 'is not from 0 to 1000');
}

/** An object with exactly one of these fields. */
function oneOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z
    .strictObject(shape)
    .refine(
      (value) => Object.values(value).filter((field) => field !== undefined).length === 1,
      `needs exactly one of ${Object.keys(shape).join(', ')}`,
    );
}
