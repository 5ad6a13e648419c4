import { compareText } from '../../text/order.ts';
import { parseNet, type IpVersion } from '../../text/net.ts';
import type { ClusterFacts, IdentitySettings, KnownNetworkSet } from './cluster.ts';
import { compileCalico } from './compile-calico.ts';
import { compileCluster } from './compile-cluster.ts';
import { compileKubernetes } from './compile-kubernetes.ts';
import { enforcedKinds, enforceStaged } from './effective-policies.ts';
import { readManifests, type ManifestFile, type PlacedManifest, type ReadOptions } from './manifest.ts';
import { describeObject } from './objects.ts';
import { byNamespace } from './policy-order.ts';
import type { Manifest } from './policy-shapes.ts';
import type { CompiledPolicies, CompiledPolicy, CompiledSpec, TieBreaker } from './policy.ts';
import { assumedOrder, builtInTiers, type TierSettings } from './tiers.ts';

/** Files with unknown content; each problem names its file, document and field. */
export class PolicyError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the policies cannot be replayed:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'PolicyError';
    this.problems = problems;
  }
}

/** A compiled set of policies. */
export interface PolicySet extends CompiledPolicies {
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
  const {
    manifests: read,
    networkSets,
    namespaces,
    skipped,
    problems: unread,
    notes: unapplied,
  } = readManifests(files, options);
  const { manifests, notes: staged, problems: duplicates } = enforceStaged(read);
  const hasIpv6 = options.ipv6 ?? namesRange(6, manifests, networkSets);
  const cluster: ClusterFacts = {
    identity,
    namespaces,
    networkSets: networkSets.length > 0 ? networkSets : undefined,
    versions: hasIpv6 ? [4, 6] : [4],
  };
  const policies = manifests.flatMap(({ place, manifest }) =>
    manifest.kind === 'Tier'
      ? []
      : [{ ...compile(manifest, place, cluster), tieBreaker: tieBreakerOf(manifest) }],
  );
  const { tiers, notes: assumed, problems: undefinedTiers } = tiersOf(manifests, policies);
  const problems = [...unread, ...duplicates, ...undefinedTiers];
  if (problems.length === 0 && read.every(({ manifest }) => manifest.kind === 'Tier'))
    problems.push(`no policies found; ${contentText(skipped)}`);
  if (problems.length > 0) throw new PolicyError(problems);
  const ordered = [...tiers]
    .toSorted(([a, left], [b, right]) => compareNumbers(left.order, right.order) || compareText(a, b))
    .map(([name, { endsWith }]) => {
      const own = policies
        .filter(({ tier }) => tier === name)
        .toSorted((a, b) => compareNumbers(a.order, b.order) || compareText(a.name, b.name));
      return { name, endsWith, policies: own, byNamespace: byNamespace(own) };
    })
    .filter(({ name, policies: own }) => own.length > 0 || name === 'default');
  const versionNotes =
    hasIpv6 || options.ipv6 === false || !namesRange(4, manifests, networkSets) ? [] : [onlyIpv4];
  return { tiers: ordered, cluster, skipped, notes: [...unapplied, ...staged, ...assumed, ...versionNotes] };
}

const onlyIpv4 =
  'all flows except ICMPv6 count as IPv4, because no policy or network set names an IPv6 range; if the cluster has IPv6 addresses, use --ipv6';

function contentText(skipped: ReadonlyMap<string, number>): string {
  return skipped.size === 0
    ? 'use files that contain policies'
    : `the files contain only: ${[...skipped].map(([kind, count]) => `${kind} (${count})`).join(', ')}`;
}

/** The tiers of the policies: built in, from manifests, or assumed if exactly one has no manifest. */
function tiersOf(manifests: readonly PlacedManifest[], policies: readonly CompiledPolicy[]) {
  const tiers = new Map<string, TierSettings>(Object.entries(builtInTiers));
  let defined = 0;
  for (const { manifest } of manifests) {
    if (manifest.kind !== 'Tier') continue;
    const { name } = manifest.metadata;
    const { order, defaultAction } = manifest.spec;
    if (!Object.hasOwn(builtInTiers, name)) defined += 1;
    tiers.set(name, {
      order: order ?? builtInTiers[name]?.order ?? Number.POSITIVE_INFINITY,
      endsWith: defaultAction === 'Pass' ? 'pass' : 'deny',
    });
  }
  const notes: string[] = [];
  const problems: string[] = [];
  const undefinedTiers = [...new Set(policies.map(({ tier }) => tier))].filter((name) => !tiers.has(name));
  const [onlyTier, ...moreTiers] = undefinedTiers;
  if (onlyTier !== undefined && moreTiers.length === 0 && defined === 0) {
    tiers.set(onlyTier, { order: assumedOrder, endsWith: 'deny' });
    notes.push(
      `tier ${onlyTier} has no Tier manifest; assumed to precede the default tier, with default action Deny`,
    );
  } else
    for (const name of undefinedTiers)
      problems.push(`tier ${name} is used but not defined; add its Tier manifest, which sets the order`);
  return { tiers, notes, problems };
}

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether any policy or network set names a range of an IP version. */
function namesRange(
  version: IpVersion,
  manifests: readonly PlacedManifest[],
  networkSets: readonly KnownNetworkSet[],
): boolean {
  const isRange = (value: unknown): boolean => {
    if (typeof value === 'string') return parseNet(value)?.version === version;
    if (typeof value !== 'object' || value === null) return false;
    return Object.values(value).some(isRange);
  };
  return (
    networkSets.some(({ nets }) => nets[version].length > 0) ||
    manifests.some(({ manifest }) => isRange(manifest.spec))
  );
}

function compile(
  manifest: Exclude<Manifest, { kind: 'Tier' }>,
  place: string,
  cluster: ClusterFacts,
): CompiledSpec {
  const name = `${describeObject(manifest)} (${place})`;
  switch (manifest.kind) {
    case 'ClusterNetworkPolicy':
    case 'AdminNetworkPolicy':
    case 'BaselineAdminNetworkPolicy':
      return compileCluster({ name, spec: manifest.spec }, cluster);
    case 'GlobalNetworkPolicy':
    case 'StagedGlobalNetworkPolicy':
      return compileCalico({ name, namespace: undefined, spec: manifest.spec }, cluster);
    default: {
      const { namespace = '' } = manifest.metadata;
      return 'podSelector' in manifest.spec
        ? compileKubernetes({ name, namespace, spec: manifest.spec }, cluster)
        : compileCalico({ name, namespace, spec: manifest.spec }, cluster);
    }
  }
}

function tieBreakerOf({ apiVersion, kind, metadata: { namespace = '', name } }: Manifest): TieBreaker {
  return { kind: enforcedKinds[kind] ?? `${apiVersion} ${kind}`, namespace, name };
}
