import type { FlowEvidence } from '../../trail/evidence.ts';
import { arrivals } from '../derive/arrivals.ts';
import { subjectOf } from '../derive/derive.ts';
import { describeEnd } from '../derive/describe.ts';
import type { Direction } from '../derive/model.ts';
import { sortedBy } from '../derive/order.ts';
import { portText } from '../derive/rules.ts';
import { noTraces, type TraceFindings } from '../derive/trace-findings.ts';
import { both, either, type Answer } from './answer.ts';
import { decide } from './decide.ts';
import { possibleVersions } from './end-addresses.ts';
import type { CompiledTier, RuleAtom } from './policy.ts';

/** One fact for which the policies' verdict differs from the observed one. */
export interface Finding {
  readonly direction: Direction;
  readonly src: string;
  readonly dst: string;
  readonly port: string;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly days: number;
  readonly flowCount: number;
  /** The policy that decides, or what the verdict depends on. */
  readonly by: string;
}

export interface Replayed {
  /** Number of evaluated facts. */
  readonly facts: number;
  /** Allowed when observed, denied by the policies. */
  readonly wouldDeny: readonly Finding[];
  /** Denied when observed, allowed by the policies. */
  readonly wouldAllow: readonly Finding[];
  /** Depends on labels, addresses or ports that are not stored. */
  readonly undecided: readonly Finding[];
  /** Reported as denied by a staged policy, which denies nothing (projectcalico/calico#13410); not compared. */
  readonly misreported: readonly Finding[];
  /** Denied facts of ends that no policy in the set selects, so that nothing would deny them. */
  readonly unselectedDenied: number;
}

const directions: readonly Direction[] = ['egress', 'ingress'];

/**
 * Evaluates a policy set against observed facts: each end's report against that end's policies. Pure.
 *
 * @param traces findings in the policy traces of the same facts
 */
export function replay(
  tiers: readonly CompiledTier[],
  evidence: readonly FlowEvidence[],
  traces: Pick<TraceFindings, 'misreportedBy'> = noTraces,
): Replayed {
  const stagedDenial = (fact: FlowEvidence) =>
    fact.action === 'deny' ? traces.misreportedBy(fact) : undefined;
  const arrivalOf = arrivals(evidence.filter((fact) => stagedDenial(fact) === undefined));
  const misreported: Finding[] = [];
  const wouldDeny: Finding[] = [];
  const wouldAllow: Finding[] = [];
  const undecided: Finding[] = [];
  let facts = 0;
  let unselectedDenied = 0;
  for (const fact of evidence)
    for (const direction of directions) {
      if (!subjectOf(direction, fact) || (fact.action !== 'allow' && fact.action !== 'deny')) continue;
      const staged = stagedDenial(fact);
      if (staged !== undefined) {
        misreported.push(findingOf(direction, fact, staged));
        continue;
      }
      facts += 1;
      const wasAllowed = fact.action === 'allow';
      const { verdict, by } = decide(tiers, direction, fact);
      // Denying at the source what the destination already denied changes nothing.
      if (wasAllowed && direction === 'egress' && arrivalOf(fact) === 'blocked') continue;
      const finding = findingOf(direction, fact, by);
      if (verdict === 'unknown') undecided.push(finding);
      else if (wasAllowed && verdict === 'deny') wouldDeny.push(finding);
      else if (!wasAllowed && verdict === 'allow') wouldAllow.push(finding);
      else if (!wasAllowed && verdict === 'open') unselectedDenied += 1;
    }
  return {
    facts,
    wouldDeny: sorted(wouldDeny),
    wouldAllow: sorted(wouldAllow),
    undecided: sorted(undecided),
    misreported: sorted(misreported),
    unselectedDenied,
  };
}

function findingOf(direction: Direction, fact: FlowEvidence, by: string): Finding {
  return {
    direction,
    src: describeEnd(fact.src),
    dst: describeEnd(fact.dst),
    port: portText(fact),
    firstSeconds: fact.firstSeconds,
    lastSeconds: fact.lastSeconds,
    days: fact.days.length,
    flowCount: fact.flowCount,
    by,
  };
}

function sorted(findings: readonly Finding[]): Finding[] {
  return sortedBy(findings, ({ direction, src, dst, port, by }) => [direction, src, dst, port, by]);
}

/** A peer and port that a rule allows but that was not used. */
export interface Unused {
  readonly policy: string;
  readonly rule: string;
}

interface Drift {
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

/** The answer for all IP versions that the fact can have. */
function matches(atom: RuleAtom, fact: FlowEvidence, cluster: CompiledTier['cluster']): Answer {
  const [first, ...others] = possibleVersions(fact, cluster).map((version) =>
    atom.matches({ ...fact, version }),
  );
  return first !== undefined && others.every((answer) => answer === first) ? first : 'unknown';
}

/** Compares a policy set with the flows observed in the period of the evidence. Pure. */
export function drift(
  tiers: readonly CompiledTier[],
  evidence: readonly FlowEvidence[],
  traces: Pick<TraceFindings, 'misreportedBy'> = noTraces,
): Drift {
  const unused: Unused[] = [];
  const perhapsUnused: Unused[] = [];
  for (const { policy, cluster } of tiers.flatMap((tier) =>
    tier.policies.map((each) => ({ policy: each, cluster: tier.cluster })),
  ))
    for (const direction of directions)
      for (const { index, action, atoms } of policy[direction] ?? []) {
        if (action !== 'allow') continue;
        for (const atom of atoms) {
          let used: Answer = 'no';
          for (const fact of evidence) {
            const subject = fact.action === 'allow' ? subjectOf(direction, fact) : undefined;
            if (subject) used = either(used, both(policy.selects(subject), matches(atom, fact, cluster)));
            if (used === 'yes') break;
          }
          const entry = { policy: policy.name, rule: `${direction} rule ${index}: ${atom.text}` };
          if (used === 'no') unused.push(entry);
          else if (used === 'unknown') perhapsUnused.push(entry);
        }
      }
  const { wouldDeny, undecided, misreported } = replay(tiers, evidence, traces);
  return { unused, perhapsUnused, notAllowed: wouldDeny, undecided, misreported };
}
