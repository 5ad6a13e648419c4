import type { FlowEvidence } from '../../trail/evidence.ts';
import { subjectOf } from '../derive/derive.ts';
import type { Direction } from '../derive/model.ts';
import { groupBy } from '../../text/order.ts';
import { noTraces, type TraceFindings } from '../derive/trace-findings.ts';
import { both, either, type Answer } from './answer.ts';
import type { ReplayEnd } from './cluster.ts';
import { possibleVersions } from './end-addresses.ts';
import { selectsEnd } from './policy-order.ts';
import type { CompiledPolicies, CompiledPolicy, RuleAtom } from './policy.ts';
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
    egress: bySubject('egress', evidence),
    ingress: bySubject('ingress', evidence),
  };
  for (const { policies } of compiled.tiers)
    for (const policy of policies)
      for (const direction of directions) {
        const facts = selectedFacts(policy, allowed[direction]);
        for (const { index, action, atoms } of policy[direction] ?? []) {
          if (action !== 'allow') continue;
          for (const atom of atoms) {
            const used = useOf(atom, facts, compiled.cluster);
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

/** The allowed facts of one end, in the direction that its policies decide. */
interface SubjectFacts {
  readonly subject: ReplayEnd;
  readonly facts: readonly FlowEvidence[];
}

function bySubject(direction: Direction, evidence: readonly FlowEvidence[]): SubjectFacts[] {
  const found = evidence.flatMap((fact) => {
    const subject = fact.action === 'allow' ? subjectOf(direction, fact) : undefined;
    return subject === undefined ? [] : [{ subject, fact }];
  });
  const groups = groupBy(found, ({ subject: { ns, identity } }) => `${ns}\n${identity}`);
  return [...groups.values()].map((group) => ({
    subject: group[0].subject,
    facts: group.map(({ fact }) => fact),
  }));
}

interface SelectedFact {
  readonly fact: FlowEvidence;
  readonly selects: Answer;
}

function selectedFacts(policy: CompiledPolicy, subjects: readonly SubjectFacts[]): SelectedFact[] {
  return subjects.flatMap(({ subject, facts }) => {
    const selects = selectsEnd(policy, subject);
    return selects === 'no' ? [] : facts.map((fact) => ({ fact, selects }));
  });
}

function useOf(atom: RuleAtom, facts: readonly SelectedFact[], cluster: CompiledPolicies['cluster']): Answer {
  let used: Answer = 'no';
  for (const { fact, selects } of facts) {
    used = either(used, both(selects, matches(atom, fact, cluster)));
    if (used === 'yes') break;
  }
  return used;
}

/** The answer for all IP versions that the fact can have. */
function matches(atom: RuleAtom, fact: FlowEvidence, cluster: CompiledPolicies['cluster']): Answer {
  const [first, ...others] = possibleVersions(fact, cluster).map((version) =>
    atom.matches({ ...fact, version }),
  );
  return first !== undefined && others.every((answer) => answer === first) ? first : 'unknown';
}
