import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import { arrivals } from '../derive/arrivals.ts';
import { subjectOf } from '../derive/derive.ts';
import { describeEnd } from '../derive/describe-ends.ts';
import type { Direction } from '../derive/model.ts';
import { sortedBy } from '../../text/order.ts';
import { portText } from '../derive/rules.ts';
import { noTraces, type TraceFindings } from '../derive/trace-findings.ts';
import { decide } from './decide.ts';
import type { CompiledPolicies } from './policy.ts';
import { PolicyUse } from './policy-use.ts';

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
  /** Facts of ends that a policy in the set selects, or may select; without any, the result is not evidence. */
  readonly selected: number;
  /** Policies that select no end of an evaluated fact, so the facts do not cover them. */
  readonly withoutFacts: readonly string[];
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

export const directions: readonly Direction[] = ['egress', 'ingress'];

/**
 * Evaluates a policy set against observed facts: each end's report against that end's policies. Pure.
 *
 * @param traces findings in the policy traces of the same facts
 */
export function replay(
  policies: CompiledPolicies,
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
  let selected = 0;
  let unselectedDenied = 0;
  const use = new PolicyUse(policies);
  for (const fact of evidence)
    for (const direction of directions) {
      const subject = subjectOf(direction, fact);
      if (!subject || (fact.action !== 'allow' && fact.action !== 'deny')) continue;
      const staged = stagedDenial(fact);
      if (staged !== undefined) {
        misreported.push(findingOf(direction, fact, staged));
        continue;
      }
      facts += 1;
      if (use.isSelected(direction, subject)) selected += 1;
      const wasAllowed = fact.action === 'allow';
      const { verdict, by } = decide(policies, direction, fact);
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
    selected,
    withoutFacts: use.unused(),
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
