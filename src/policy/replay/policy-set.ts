import { compareText } from '../derive/order.ts';
import { compileCalico } from './compile-calico.ts';
import { compileKubernetes } from './compile-kubernetes.ts';
import { readManifests, type Manifest, type ManifestFile } from './manifest.ts';
import type { CompiledPolicy, CompiledTier } from './policy.ts';
import { SelectorError } from './selector.ts';

/** Files that hold something that is not understood; each problem names its file, document and field. */
export class PolicyError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the policies cannot be replayed:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'PolicyError';
    this.problems = problems;
  }
}

/** Calico's default tier comes after tiers of an order below a million, and before those without one. */
const defaultTierOrder = 1_000_000;

/**
 * Compiles a set of policy files into tiers, in the order in which Calico evaluates them. A staged policy is taken as though
 * it were enforced: the set is what one would have. @throws PolicyError
 */
export function compilePolicies(files: readonly ManifestFile[], identityLabel: string): CompiledTier[] {
  const { manifests, problems: unread } = readManifests(files);
  const problems = [...unread];
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
      policies.push(compile(manifest, place, identityLabel));
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      problems.push(`${place}: ${error.message}`);
    }
  }
  for (const name of new Set(policies.map(({ tier }) => tier)))
    if (!tiers.has(name))
      problems.push(
        `tier ${name} is used and not defined; add its Tier manifest, so that its order is known`,
      );
  if (problems.length === 0 && policies.length === 0) problems.push('there is no policy in them');
  if (problems.length > 0) throw new PolicyError(problems);
  return [...tiers]
    .toSorted(([a, left], [b, right]) => compareNumbers(left.order, right.order) || compareText(a, b))
    .map(([name, { endsWith }]) => ({
      name,
      endsWith,
      policies: policies
        .filter(({ tier }) => tier === name)
        .toSorted((a, b) => compareNumbers(a.order, b.order) || compareText(a.name, b.name)),
    }));
}

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compile(
  manifest: Exclude<Manifest, { kind: 'Tier' }>,
  place: string,
  identityLabel: string,
): CompiledPolicy {
  const { kind, metadata } = manifest;
  const namespace =
    kind === 'GlobalNetworkPolicy' || kind === 'StagedGlobalNetworkPolicy' ? undefined : metadata.namespace;
  const name = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${metadata.name} (${place})`;
  if (namespace !== undefined && 'podSelector' in manifest.spec)
    return compileKubernetes({ name, namespace, spec: manifest.spec }, identityLabel);
  if ('podSelector' in manifest.spec) throw new Error(`${name} is both global and of Kubernetes`);
  return compileCalico({ name, namespace, spec: manifest.spec }, identityLabel);
}
