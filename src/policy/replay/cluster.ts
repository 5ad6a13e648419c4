import type { EvidenceEnd } from '../derive/model.ts';
import type { IpVersion } from '../../text/net.ts';
import type { Nets } from './address-sets.ts';
import type { Answer } from './answer.ts';
import type { LabelTest } from './selector.ts';

/** An end of a flow, with assumptions about data that is not stored. */
export interface ReplayEnd extends EvidenceEnd {
  /** It has no identity, or one that was not stored because its namespace has more than are stored. */
  readonly hasUnknownIdentity?: true;
  /** The assumed answer to a test of a label. */
  readonly assume?: ((label: string, test: LabelTest) => Answer) | undefined;
}

/** A NetworkSet or GlobalNetworkSet from a given manifest. */
export interface KnownNetworkSet {
  readonly name: string;
  /** Empty for a global one. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nets: Nets;
}

/** How service identities are read; the worker's settings. */
export interface IdentitySettings {
  /** Pod label that holds the service identity. */
  readonly label: string;
  /** Namespaces in which the label is read. */
  readonly namespaces: 'all' | ReadonlySet<string>;
}

/** A Namespace from a given manifest. */
export interface KnownNamespace {
  readonly labels: Readonly<Record<string, string>>;
  /** Whether these are all its labels: in the output of the API server, but not in a manifest to apply. */
  readonly isComplete: boolean;
}

/** Data about a cluster other than its flows. */
export interface ClusterFacts {
  readonly identity: IdentitySettings;
  /** By name. */
  readonly namespaces: ReadonlyMap<string, KnownNamespace>;
  /** All network sets of the cluster; undefined if no manifest was given, in which case any may exist. */
  readonly networkSets: readonly KnownNetworkSet[] | undefined;
  /** The IP versions in use: IPv6 only if a policy or a network set names an IPv6 range. */
  readonly versions: readonly IpVersion[];
}

/** The manifest of a network set that is an end of a flow. */
export function findNetworkSet(
  sets: readonly KnownNetworkSet[] | undefined,
  { ns, identity }: Pick<EvidenceEnd, 'ns' | 'identity'>,
): KnownNetworkSet | undefined {
  return sets?.find(({ name, namespace }) => name === identity && namespace === ns);
}
