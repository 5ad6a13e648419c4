import { z } from 'zod';
import type { KnownNetworkSet } from './ends.ts';

const selectorShape = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});
const kubernetesPeer = z
  .strictObject({
    namespaceSelector: selectorShape.optional(),
    podSelector: selectorShape.optional(),
    ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
  })
  .refine(
    ({ namespaceSelector, podSelector, ipBlock }) =>
      (ipBlock === undefined) !== (namespaceSelector === undefined && podSelector === undefined),
    'needs either an ipBlock or selectors',
  );
const kubernetesPort = z.strictObject({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
  port: z.union([z.int().min(1).max(65_535), z.string()]).optional(),
  endPort: z.int().optional(),
});
const ports = z.array(kubernetesPort).default([]);
const peers = z.array(kubernetesPeer).default([]);
const types = z.array(z.enum(['Ingress', 'Egress'])).optional();
const kubernetesSpec = z.strictObject({
  podSelector: selectorShape.default({}),
  policyTypes: types,
  ingress: z.array(z.strictObject({ from: peers, ports })).optional(),
  egress: z.array(z.strictObject({ to: peers, ports })).optional(),
});

const calicoPort = z.union([z.int().min(0).max(65_535), z.string()]);
const entity = z.strictObject({
  nets: z.array(z.string()).optional(),
  notNets: z.array(z.string()).optional(),
  selector: z.string().optional(),
  notSelector: z.string().optional(),
  namespaceSelector: z.string().optional(),
  ports: z.array(calicoPort).optional(),
  notPorts: z.array(calicoPort).optional(),
});
const protocol = z.union([z.string(), z.int().min(1).max(255)]);
const calicoRule = z.strictObject({
  action: z.enum(['Allow', 'Deny', 'Pass', 'Log']),
  protocol: protocol.optional(),
  notProtocol: protocol.optional(),
  ipVersion: z.union([z.literal(4), z.literal(6)]).optional(),
  icmp: z.unknown().optional(),
  notICMP: z.unknown().optional(),
  source: entity.optional(),
  destination: entity.optional(),
  metadata: z.unknown().optional(),
});
const calicoSpec = z.strictObject({
  tier: z.string().default('default'),
  order: z.number().optional(),
  selector: z.string().default(''),
  types,
  ingress: z.array(calicoRule).optional(),
  egress: z.array(calicoRule).optional(),
  performanceHints: z.unknown().optional(),
});
const staged = { stagedAction: z.literal('Set', 'only "Set" can be replayed').optional() };
const global = { namespaceSelector: z.string().optional() };

const metadata = z.looseObject({ name: z.string(), namespace: z.string().default('') });
/** Fields that the API server adds; they do not affect the policy. */
const status = z.unknown().optional();
const calico = z.literal('projectcalico.org/v3');
export const networkSetShape = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(''),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.looseObject({ nets: z.array(z.string()).default([]) }).default({ nets: [] }),
});

export function toNetworkSet({
  kind,
  metadata: { name, namespace, labels },
  spec,
}: z.infer<typeof networkSetShape>): KnownNetworkSet {
  return { name, namespace: kind === 'NetworkSet' ? namespace : '', labels, nets: spec.nets };
}

/** The kinds that can be replayed, by apiVersion and kind. */
export const policyShapes = {
  'networking.k8s.io/v1 NetworkPolicy': z.strictObject({
    apiVersion: z.literal('networking.k8s.io/v1'),
    kind: z.literal('NetworkPolicy'),
    metadata,
    status,
    // The API server fills in missing types; Calico does not for its staged kind, which then selects ingress only.
    spec: kubernetesSpec.transform(({ policyTypes, ...spec }) => ({
      ...spec,
      policyTypes: policyTypes ?? ['Ingress' as const, ...(spec.egress ? (['Egress'] as const) : [])],
    })),
  }),
  'projectcalico.org/v3 StagedKubernetesNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedKubernetesNetworkPolicy'),
    metadata,
    status,
    spec: kubernetesSpec.extend(staged),
  }),
  'projectcalico.org/v3 NetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('NetworkPolicy'),
    metadata,
    status,
    spec: calicoSpec.prefault({}),
  }),
  'projectcalico.org/v3 StagedNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedNetworkPolicy'),
    metadata,
    status,
    spec: calicoSpec.extend(staged).prefault({}),
  }),
  'projectcalico.org/v3 GlobalNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('GlobalNetworkPolicy'),
    metadata,
    status,
    spec: calicoSpec.extend(global).prefault({}),
  }),
  'projectcalico.org/v3 StagedGlobalNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedGlobalNetworkPolicy'),
    metadata,
    status,
    spec: calicoSpec.extend(global).extend(staged).prefault({}),
  }),
  'projectcalico.org/v3 Tier': z.strictObject({
    apiVersion: calico,
    kind: z.literal('Tier'),
    metadata,
    status,
    spec: z.strictObject({
      order: z.number().optional(),
      defaultAction: z.enum(['Deny', 'Pass']).default('Deny'),
    }),
  }),
};
type Shapes = typeof policyShapes;
export type Manifest = { [Key in keyof Shapes]: z.infer<Shapes[Key]> }[keyof Shapes];
export type KubernetesSpec = z.infer<typeof kubernetesSpec>;
export type CalicoSpec = z.infer<typeof calicoSpec> & { namespaceSelector?: string | undefined };
export type CalicoRule = z.infer<typeof calicoRule>;
export type CalicoEntity = z.infer<typeof entity>;

export function isPolicyKind(name: string): name is keyof Shapes {
  return Object.hasOwn(policyShapes, name);
}
