import { compareText } from '../derive/order.ts';
import { compileCalico } from './compile-calico.ts';
import { compileKubernetes } from './compile-kubernetes.ts';
import type { ClusterFacts, IdentitySettings } from './ends.ts';
import { readManifests, type ManifestFile, type ReadOptions } from './manifest.ts';
import type { Manifest } from './policy-shapes.ts';
import type { CompiledPolicy, CompiledTier } from './policy.ts';
import { SelectorError } from './selector.ts';

/** Files with unknown content; each problem names its file, document and field. */
export class PolicyError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the policies cannot be replayed:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'PolicyError';
    this.problems = problems;
  }
}

/** Calico's default tier comes after tiers of an order below a million, and before tiers without an order. */
const defaultTierOrder = 1_000_000;

/** A compiled set of policies. */
export interface PolicySet {
  /** In Calico's evaluation order. */
  readonly tiers: readonly CompiledTier[];
  /** Kinds of other objects in the files, with their counts. */
  readonly skipped: ReadonlyMap<string, number>;
  /** Assumptions, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Compiles a set of policy files. Staged policies count as enforced: the set describes the state after enforcing them.
 * @throws PolicyError
 */
export function compilePolicies(
  files: readonly ManifestFile[],
  identity: IdentitySettings,
  options: ReadOptions = {},
): PolicySet {
  const { manifests, networkSets, skipped, problems: unread } = readManifests(files, options);
  const cluster: ClusterFacts = {
    identity,
    networkSets: networkSets.length > 0 ? networkSets : undefined,
  };
  const problems = [...unread];
  const notes: string[] = [];
  const policies: CompiledPolicy[] = [];
  const tiers = new Map<string, { order: number; endsWith: CompiledTier['endsWith'] }>([
    ['default', { order: defaultTierOrder, endsWith: 'deny' }],
  ]);
  for (const { place, manifest } of manifests) {
    if (manifest.kind === 'Tier') {
      const { order, defaultAction } = manifest.spec;
      tiers.set(manifest.metadata.name, {
        order: order ?? (manifest.metadata.name === 'default' ? defaultTierOrder : Number.POSITIVE_INFINITY),
        endsWith: defaultAction === 'Pass' ? 'pass' : 'deny',
      });
      continue;
    }
    try {
      policies.push(compile(manifest, place, cluster));
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      problems.push(`${place}: ${error.message}`);
    }
  }
  const undefinedTiers = [...new Set(policies.map(({ tier }) => tier))].filter((name) => !tiers.has(name));
  const [onlyTier, ...moreTiers] = undefinedTiers;
  if (onlyTier !== undefined && moreTiers.length === 0 && tiers.size === 1) {
    tiers.set(onlyTier, { order: defaultTierOrder - 1, endsWith: 'deny' });
    notes.push(
      `tier ${onlyTier} has no Tier manifest; assumed to precede the default tier, with default action Deny`,
    );
  } else
    for (const name of undefinedTiers)
      problems.push(`tier ${name} is used but not defined; add its Tier manifest, which sets the order`);
  if (problems.length === 0 && policies.length === 0) problems.push('no policies found');
  if (problems.length > 0) throw new PolicyError(problems);
  const ordered = [...tiers]
    .toSorted(([a, left], [b, right]) => compareNumbers(left.order, right.order) || compareText(a, b))
    .map(([name, { endsWith }]) => ({
      name,
      endsWith,
      policies: policies
        .filter(({ tier }) => tier === name)
        .toSorted((a, b) => compareNumbers(a.order, b.order) || compareText(a.name, b.name)),
    }));
  return { tiers: ordered, skipped, notes };
}

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compile(
  manifest: Exclude<Manifest, { kind: 'Tier' }>,
  place: string,
  cluster: ClusterFacts,
): CompiledPolicy {
  const { kind, metadata } = manifest;
  const namespace =
    kind === 'GlobalNetworkPolicy' || kind === 'StagedGlobalNetworkPolicy' ? undefined : metadata.namespace;
  const name = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${metadata.name} (${place})`;
  if (namespace !== undefined && 'podSelector' in manifest.spec)
    return compileKubernetes({ name, namespace, spec: manifest.spec }, cluster.identity);
  if ('podSelector' in manifest.spec)
    throw new Error(`${name} is a global policy with a Kubernetes podSelector`);
  return compileCalico({ name, namespace, spec: manifest.spec }, cluster);
}
