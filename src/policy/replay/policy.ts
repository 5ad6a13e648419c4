import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { Answer } from './answer.ts';
import type { IpVersion } from '../../text/net.ts';
import type { ClusterFacts, ReplayEnd } from './cluster.ts';

/** The part of a fact that rules match. */
export interface ReplayFlow extends Pick<FlowEvidence, 'protocol' | 'port'> {
  readonly src: ReplayEnd;
  readonly dst: ReplayEnd;
  readonly version: IpVersion;
}

/** The smallest part of a rule: one peer and one port. */
export interface RuleAtom {
  /** `to namespaces kubernetes.io/metadata.name=dbaas, TCP 5432`. */
  readonly text: string;
  readonly matches: (flow: ReplayFlow) => Answer;
}

export interface CompiledRule {
  /** Position in the manifest's list, from 0. */
  readonly index: number;
  readonly action: 'allow' | 'deny' | 'pass';
  /** Any of them. */
  readonly atoms: readonly RuleAtom[];
}

/** An object's kind (of a staged policy, the enforced one), namespace ('' for a global one) and name. */
export interface TieBreaker {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface CompiledSpec {
  /** `NetworkPolicy immich/allow (policies/immich.yaml)`. */
  readonly name: string;
  readonly tier: string;
  readonly order: number;
  readonly selects: (end: ReplayEnd) => Answer;
  /** Absent if the policy does not apply to the direction. */
  readonly egress?: readonly CompiledRule[];
  readonly ingress?: readonly CompiledRule[];
}

export interface CompiledPolicy extends CompiledSpec {
  /** What Calico compares if the order of two policies is equal. */
  readonly tieBreaker: TieBreaker;
}

export interface CompiledTier {
  readonly name: string;
  readonly endsWith: 'deny' | 'pass';
  /** Sorted by order. */
  readonly policies: readonly CompiledPolicy[];
  /** The policies that can select ends of a namespace: its own and the global ones, in groups of the same order; '' for namespaces with none of their own. */
  readonly byNamespace: ReadonlyMap<string, readonly (readonly CompiledPolicy[])[]>;
}

export interface CompiledPolicies {
  /** In Calico's evaluation order. */
  readonly tiers: readonly CompiledTier[];
  /** What the policies were compiled with. */
  readonly cluster: Pick<ClusterFacts, 'networkSets' | 'versions'>;
}
