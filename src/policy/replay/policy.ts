import type { FlowEvidence } from '../../trail/evidence.ts';
import type { Answer } from './answer.ts';
import type { ReplayEnd } from './ends.ts';

/** The part of a fact that rules match. */
export interface ReplayFlow extends Pick<FlowEvidence, 'protocol' | 'port'> {
  readonly src: ReplayEnd;
  readonly dst: ReplayEnd;
}

/** The smallest part of a rule: one peer and one port. */
export interface RuleAtom {
  /** `to namespaces kubernetes.io/metadata.name=dbaas, TCP 5432`. */
  readonly text: string;
  readonly matches: (flow: ReplayFlow) => Answer;
}

export interface CompiledRule {
  readonly action: 'allow' | 'deny' | 'pass';
  /** Any of them. */
  readonly atoms: readonly RuleAtom[];
}

export interface CompiledPolicy {
  /** `NetworkPolicy immich/allow (policies/immich.yaml)`. */
  readonly name: string;
  readonly tier: string;
  readonly order: number;
  readonly selects: (end: ReplayEnd) => Answer;
  /** Absent if the policy does not apply to the direction. */
  readonly egress?: readonly CompiledRule[];
  readonly ingress?: readonly CompiledRule[];
}

export interface CompiledTier {
  readonly name: string;
  readonly endsWith: 'deny' | 'pass';
  /** In evaluation order. */
  readonly policies: readonly CompiledPolicy[];
}
