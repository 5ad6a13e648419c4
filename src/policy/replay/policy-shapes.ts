import { z } from 'zod';
import type { KnownNamespace, KnownNetworkSet } from './cluster.ts';
import { parseNet } from '../../text/net.ts';
import { netsOf } from './address-sets.ts';
import {
  globalSpec,
  namespacedSpec,
  stagedAction,
  stagedGlobalSpec,
  stagedNamespacedSpec,
} from './shapes/calico.ts';
import { adminSpec, baselineSpec, clusterSpec } from './shapes/cluster-policies.ts';
import { metadata, status, tierName } from './shapes/common.ts';
import { kubernetesSpec } from './shapes/kubernetes.ts';

const calico = z.literal('projectcalico.org/v3');

export const networkSetShape = z.strictObject({
  apiVersion: calico,
  kind: z.enum(['NetworkSet', 'GlobalNetworkSet']),
  metadata,
  status,
  spec: z
    .strictObject({
      nets: z
        .array(
          z
            .string()
            .refine(
              (text) => parseNet(text) !== undefined,
              'is not an address or a range; for example 10.0.0.0/8',
            ),
        )
        .default([]),
    })
    .prefault({}),
});

export function toNetworkSet({
  kind,
  metadata: { name, namespace, labels },
  spec,
}: z.infer<typeof networkSetShape>): KnownNetworkSet {
  return { name, namespace: kind === 'NetworkSet' ? (namespace ?? '') : '', labels, nets: netsOf(spec.nets) };
}

const namespaceShape = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string().optional(),
    labels: z.record(z.string(), z.string()).nullish(),
  }),
});

/** The name and labels of a Namespace; undefined if it has no usable ones, which is no reason to refuse policies. */
export function toNamespace(value: unknown): readonly [name: string, KnownNamespace] | undefined {
  const parsed = namespaceShape.safeParse(value);
  if (!parsed.success) return undefined;
  const { name, uid, labels } = parsed.data.metadata;
  return [name, { labels: labels ?? {}, isComplete: uid !== undefined }];
}

/** The kinds that can be replayed, by apiVersion and kind. */
export const policyShapes = {
  'networking.k8s.io/v1 NetworkPolicy': z.strictObject({
    apiVersion: z.literal('networking.k8s.io/v1'),
    kind: z.literal('NetworkPolicy'),
    metadata,
    status,
    // The API server fills in missing types; Calico does not for its staged kind, which then selects ingress only.
    spec: kubernetesSpec.prefault({}).transform(({ policyTypes, ...spec }) => ({
      ...spec,
      policyTypes: policyTypes ?? ['Ingress' as const, ...(spec.egress ? (['Egress'] as const) : [])],
    })),
  }),
  'projectcalico.org/v3 StagedKubernetesNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedKubernetesNetworkPolicy'),
    metadata,
    status,
    spec: kubernetesSpec.extend({ stagedAction }).prefault({}),
  }),
  'projectcalico.org/v3 NetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('NetworkPolicy'),
    metadata,
    status,
    spec: namespacedSpec.prefault({}),
  }),
  'projectcalico.org/v3 StagedNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedNetworkPolicy'),
    metadata,
    status,
    spec: stagedNamespacedSpec.prefault({}),
  }),
  'projectcalico.org/v3 GlobalNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('GlobalNetworkPolicy'),
    metadata,
    status,
    spec: globalSpec.prefault({}),
  }),
  'projectcalico.org/v3 StagedGlobalNetworkPolicy': z.strictObject({
    apiVersion: calico,
    kind: z.literal('StagedGlobalNetworkPolicy'),
    metadata,
    status,
    spec: stagedGlobalSpec.prefault({}),
  }),
  'policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy': z.strictObject({
    apiVersion: z.literal('policy.networking.k8s.io/v1alpha2'),
    kind: z.literal('ClusterNetworkPolicy'),
    metadata,
    status,
    spec: clusterSpec,
  }),
  'policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy': z.strictObject({
    apiVersion: z.literal('policy.networking.k8s.io/v1alpha1'),
    kind: z.literal('AdminNetworkPolicy'),
    metadata,
    status,
    spec: adminSpec,
  }),
  'policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy': z.strictObject({
    apiVersion: z.literal('policy.networking.k8s.io/v1alpha1'),
    kind: z.literal('BaselineAdminNetworkPolicy'),
    metadata,
    status,
    spec: baselineSpec,
  }),
  'projectcalico.org/v3 Tier': z.strictObject({
    apiVersion: calico,
    kind: z.literal('Tier'),
    metadata: metadata.extend({ name: tierName }),
    status,
    spec: z
      .strictObject({
        order: z.number().optional(),
        defaultAction: z.enum(['Deny', 'Pass']).default('Deny'),
      })
      .prefault({}),
  }),
};
type Shapes = typeof policyShapes;
export type Manifest = { [Key in keyof Shapes]: z.infer<Shapes[Key]> }[keyof Shapes];

export function isPolicyKind(name: string): name is keyof Shapes {
  return Object.hasOwn(policyShapes, name);
}
