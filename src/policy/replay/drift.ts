import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import { subjectOf } from '../derive/derive.ts';
import type { Direction } from '../derive/model.ts';
import { groupBy } from '../../text/order.ts';
import { noTraces, type TraceFindings } from '../derive/trace-findings.ts';
import type { Answer } from './answer.ts';
import type { ReplayEnd } from './cluster.ts';
import { possibleVersions } from './end-addresses.ts';
import { selectsEnd } from './policy-order.ts';
import type { CompiledPolicies, CompiledPolicy, ReplayFlow, RuleAtom } from './policy.ts';
import { directions, replay, type Finding, type Replayed } from './replay.ts';

/** A peer and port that a rule allows but that was not used. */
export interface Unused {
  readonly policy: string;
  readonly rule: string;
}

interface Drift extends Pick<Replayed, 'facts' | 'selected' | 'withoutFacts'> {
  /** Allowed, but never used in the period. */
  readonly unused: readonly Unused[];
  /** Allowed; whether it was used depends on data that is not stored. */
  readonly perhapsUnused: readonly Unused[];
  /** Used, but not allowed. */
  readonly notAllowed: readonly Finding[];
  /** Used; whether it is allowed depends on data that is not stored. */
  readonly undecided: readonly Finding[];
  /** Reported as denied by a staged policy, which denies nothing (projectcalico/calico#13410); not compared. */
  readonly misreported: readonly Finding[];
}

/** Compares a policy set with the flows observed in the period of the evidence. Pure. */
export function drift(
  compiled: CompiledPolicies,
  evidence: readonly FlowEvidence[],
  traces: Pick<TraceFindings, 'misreportedBy'> = noTraces,
): Drift {
  const unused: Unused[] = [];
  const perhapsUnused: Unused[] = [];
  const allowed = {
    egress: bySubject('egress', evidence, compiled.cluster),
    ingress: bySubject('ingress', evidence, compiled.cluster),
  };
  for (const { policies } of compiled.tiers)
    for (const policy of policies)
      for (const direction of directions) {
        const facts = selectedFacts(policy, allowed[direction]);
        for (const { index, action, atoms } of policy[direction] ?? []) {
          if (action !== 'allow') continue;
          for (const atom of atoms) {
            const used = useOf(atom, facts);
            const entry = { policy: policy.name, rule: `${direction} rule ${index}: ${atom.text}` };
            if (used === 'no') unused.push(entry);
            else if (used === 'unknown') perhapsUnused.push(entry);
          }
        }
      }
  const { wouldDeny, undecided, misreported, facts, selected, withoutFacts } = replay(
    compiled,
    evidence,
    traces,
  );
  return {
    facts,
    selected,
    withoutFacts,
    unused,
    perhapsUnused,
    notAllowed: wouldDeny,
    undecided,
    misreported,
  };
}

/** An allowed fact, once for each IP version that it can have. */
type VersionedFact = readonly ReplayFlow[];

/** The allowed facts of one end, in the direction that its policies decide. */
interface SubjectFacts {
  readonly subject: ReplayEnd;
  readonly facts: readonly VersionedFact[];
}

function bySubject(
  direction: Direction,
  evidence: readonly FlowEvidence[],
  cluster: CompiledPolicies['cluster'],
): SubjectFacts[] {
  const found = evidence.flatMap((fact) => {
    const subject = fact.action === 'allow' ? subjectOf(direction, fact) : undefined;
    return subject === undefined ? [] : [{ subject, fact }];
  });
  const groups = groupBy(found, ({ subject: { ns, identity } }) => `${ns}\n${identity}`);
  return [...groups.values()].map((group) => ({
    subject: group[0].subject,
    facts: group.map(({ fact }) => possibleVersions(fact, cluster).map((version) => ({ ...fact, version }))),
  }));
}

interface SelectedFact {
  readonly fact: VersionedFact;
  readonly selects: Answer;
}

function selectedFacts(policy: CompiledPolicy, subjects: readonly SubjectFacts[]): SelectedFact[] {
  return subjects.flatMap(({ subject, facts }) => {
    const selects = selectsEnd(policy, subject);
    return selects === 'no' ? [] : facts.map((fact) => ({ fact, selects }));
  });
}

function useOf(atom: RuleAtom, facts: readonly SelectedFact[]): Answer {
  let used: Answer = 'no';
  for (const { fact, selects } of facts) {
    const matched = matches(atom, fact);
    if (matched === 'yes' && selects === 'yes') return 'yes';
    if (matched !== 'no') used = 'unknown';
  }
  return used;
}

/** The answer for all IP versions that the fact can have. */
function matches(atom: RuleAtom, fact: VersionedFact): Answer {
  let answer: Answer | undefined;
  for (const flow of fact) {
    const found = atom.matches(flow);
    if (answer !== undefined && answer !== found) return 'unknown';
    answer = found;
  }
  return answer ?? 'unknown';
}
