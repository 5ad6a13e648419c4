import type { FlowEvidence } from '../../trail/evidence.ts';
import type { Answer } from './answer.ts';
import type { ReplayEnd } from './ends.ts';

/** What of a fact a rule looks at. */
export interface ReplayFlow extends Pick<FlowEvidence, 'protocol' | 'port'> {
  readonly src: ReplayEnd;
  readonly dst: ReplayEnd;
}

/** The smallest thing that a rule says: one peer and one port. */
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
  /** Absent where the policy says nothing of the direction. */
  readonly egress?: readonly CompiledRule[];
  readonly ingress?: readonly CompiledRule[];
}

export interface CompiledTier {
  readonly name: string;
  readonly endsWith: 'deny' | 'pass';
  /** In the order in which they are evaluated. */
  readonly policies: readonly CompiledPolicy[];
}
