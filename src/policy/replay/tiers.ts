import type { CompiledTier } from './policy.ts';

export interface TierSettings {
  /** Tiers of lower order are evaluated first; a tier without one is last. */
  readonly order: number;
  readonly endsWith: CompiledTier['endsWith'];
}

const beforeDefault = 1_000;
const defaultOrder = 1_000_000;
const afterDefault = 10_000_000;

/**
 * The tiers that exist in every cluster, with Calico's orders. The two for the cluster-wide policies of the Kubernetes
 * network policy API have one name in Calico 3.30 and 3.31 and another since 3.32.
 */
export const builtInTiers: Readonly<Record<string, TierSettings>> = {
  default: { order: defaultOrder, endsWith: 'deny' },
  adminnetworkpolicy: { order: beforeDefault, endsWith: 'pass' },
  'kube-admin': { order: beforeDefault, endsWith: 'pass' },
  baselineadminnetworkpolicy: { order: afterDefault, endsWith: 'pass' },
  'kube-baseline': { order: afterDefault, endsWith: 'pass' },
};

/** The tier of converted cluster-wide policies. */
export const clusterTiers = { Admin: 'kube-admin', Baseline: 'kube-baseline' } as const;

/** The order assumed for the only tier without a manifest: directly before the default tier. */
export const assumedOrder = defaultOrder - 1;
