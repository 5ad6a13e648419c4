import { coveredTime, floorToTenthDay } from '../../coverage/covered-time.ts';
import type { CoverageStretch } from '../../trail/coverage-ranges/coverage.ts';
import type { TracedEvidence } from '../../trail/facts/evidence.ts';
import { describeEnd } from './describe-ends.ts';
import { reportedSubject, subjectKey } from './direction.ts';
import type { Direction } from './model.ts';
import { groupBy, sortedBy } from '../../text/order.ts';
import { portText } from './rules.ts';
import { flowsOf, mergeTotals } from './sighting.ts';
import { describeHit, isStaged, readTrace, verdictOf, type Trace, type Verdict } from './trace.ts';

/** Flows between two ends on one port whose enforced and pending verdicts differ. */
export interface VerdictDifference {
  readonly src: string;
  readonly dst: string;
  readonly port: string;
  readonly reporter: TracedEvidence['reporter'];
  readonly enforced: 'allow' | 'deny';
  /** The verdict if staged policies were enforced. */
  readonly pending: 'allow' | 'deny';
  /** The policy, or the end of a tier, that decides the pending verdict. */
  readonly by: string;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly flowCount: number;
}

/** Flows of one namespace and direction that an enforced policy would still decide if staged policies were enforced. */
export interface DecidedByOther {
  readonly namespace: string;
  readonly direction: Direction;
  readonly policy: string;
  readonly action: 'allow' | 'deny';
  /** Whether a staged policy decided other flows of this namespace and direction. */
  readonly besideStaged: boolean;
  /** Whether the profile decided: it allows a flow only if no policy selects the pod. */
  readonly isProfile: boolean;
  readonly lastSeconds: number;
  readonly flowCount: number;
}

/** The time between the first and the last flow of a namespace and direction that a staged policy decided. */
interface StagedTime {
  readonly namespace: string;
  readonly direction: Direction;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
}

interface StagedVerdicts {
  /**
   * Flows for which staged policies give a different verdict than the enforced one; those that would be denied first,
   * then by pair.
   */
  readonly disagreements: readonly VerdictDifference[];
  /** Flows that a staged policy, or the end of its tier, decided; for `agreeing` of them the enforced verdict is the same. */
  readonly decided: number;
  readonly agreeing: number;
  /** When a staged policy first and last decided flows of each namespace and direction. */
  readonly decidedBetween: readonly StagedTime[];
  readonly decidedByOthers: readonly DecidedByOther[];
  /**
   * Flows whose pending verdict differs although no staged policy is among its hits, so the staged policies do not
   * disagree.
   */
  readonly withoutStaged: readonly VerdictDifference[];
  /**
   * Flows whose enforced verdict names a staged policy (projectcalico/calico#13410), by policy; these are not evidence.
   */
  readonly enforcedByStaged: readonly { readonly policy: string; readonly flowCount: number }[];
  /** Flows whose traces do not show a verdict. */
  readonly unknown: number;
  /** Those of them that were allowed, and that staged policies may have decided: of the same namespaces, directions and time. */
  readonly unknownBesideStaged: number;
}

interface Entry {
  fact: TracedEvidence;
  trace: Trace;
  enforced: Verdict;
  pending: Verdict;
}

/**
 * Compares the verdicts of staged policies with the enforced ones. Only flows that a staged policy decided are evidence
 * about staged policies; all others are counted by the policy that decides them. Pure.
 */
export function stagedVerdicts(traced: readonly TracedEvidence[]): StagedVerdicts {
  const entries: Entry[] = [];
  const misreported: { policy: string; flowCount: number }[] = [];
  const withoutVerdict: TracedEvidence[] = [];
  for (const fact of traced) {
    const trace = readTrace(fact.trace);
    const enforced = trace && verdictOf(trace.enforced);
    const pending = trace && verdictOf(trace.pending);
    if (trace && enforced && isStaged(enforced.hit))
      misreported.push({ policy: describeHit(enforced.hit), flowCount: fact.flowCount });
    else if (!trace || !enforced || !pending) withoutVerdict.push(fact);
    else entries.push({ fact, trace, enforced, pending });
  }
  const staged = entries.filter(({ trace }) => trace.pending.some(isStaged));
  const others = entries.filter(({ trace }) => !trace.pending.some(isStaged));
  const agreeing = staged.filter((entry) => !isDifferent(entry));
  const bySubject = groupBy(staged, ({ fact }) => subjectKey(reportedSubject(fact)));
  const decidedBetween = new Map(
    [...bySubject].map(([key, group]): [string, StagedTime] => {
      const { firstSeconds, lastSeconds } = mergeTotals(group.map(({ fact }) => fact));
      return [key, { ...reportedSubject(group[0].fact), firstSeconds, lastSeconds }];
    }),
  );
  const stagedSince = (fact: TracedEvidence) =>
    decidedBetween.get(subjectKey(reportedSubject(fact)))?.firstSeconds;
  return {
    disagreements: differences(staged.filter(isDifferent)),
    decided: flowsOf(staged.map(({ fact }) => fact)),
    agreeing: flowsOf(agreeing.map(({ fact }) => fact)),
    decidedBetween: [...decidedBetween.values()],
    decidedByOthers: decidedByOthers(others, new Set(bySubject.keys())),
    withoutStaged: differences(others.filter(isDifferent)),
    enforcedByStaged: sortedBy(
      [...groupBy(misreported, ({ policy }) => policy)].map(([policy, group]) => ({
        policy,
        flowCount: flowsOf(group),
      })),
      ({ policy, flowCount }) => [-flowCount, policy],
    ),
    unknown: flowsOf(withoutVerdict),
    unknownBesideStaged: flowsOf(
      withoutVerdict.filter(
        (fact) => fact.action === 'allow' && fact.lastSeconds >= (stagedSince(fact) ?? Infinity),
      ),
    ),
  };
}

/**
 * Whether the verdicts are evidence that enforcing the staged policies is safe: they decided flows for long enough, would
 * deny no allowed flow, no other policy allows flows that they do not cover, and no allowed flow has an unknown verdict.
 */
export function isEvidenceForEnforcing(
  verdicts: StagedVerdicts,
  { coverage, minimumDays }: { coverage: readonly CoverageStretch[]; minimumDays: number },
): boolean {
  return (
    verdicts.decided > 0 &&
    stagedDays(verdicts, coverage).every(({ coveredDays }) => coveredDays >= minimumDays) &&
    verdicts.disagreements.every(({ pending }) => pending !== 'deny') &&
    passedByOthers(verdicts).length === 0 &&
    verdicts.unknownBesideStaged === 0
  );
}

/** The covered days between the first and last decision of staged policies, per namespace and direction; fewest first. */
export function stagedDays(
  { decidedBetween }: Pick<StagedVerdicts, 'decidedBetween'>,
  coverage: readonly CoverageStretch[],
): (StagedTime & { readonly coveredDays: number })[] {
  const covered = coveredTime(coverage);
  return sortedBy(
    decidedBetween.map((each) => ({
      ...each,
      coveredDays: floorToTenthDay(covered.between(each.firstSeconds, each.lastSeconds)),
    })),
    ({ coveredDays, namespace, direction }) => [coveredDays, namespace, direction],
  );
}

/** Policies that allow flows that the staged policies of the same namespace and direction do not cover. */
export function passedByOthers({ decidedByOthers: others }: StagedVerdicts): DecidedByOther[] {
  return others.filter(
    ({ besideStaged, isProfile, action }) => besideStaged && !isProfile && action === 'allow',
  );
}

function isDifferent({ enforced, pending }: Entry): boolean {
  return enforced.action !== pending.action;
}

function differences(entries: readonly Entry[]): VerdictDifference[] {
  const found = entries.map(({ fact, enforced, pending }) => ({
    src: describeEnd(fact.src),
    dst: describeEnd(fact.dst),
    port: portText(fact),
    reporter: fact.reporter,
    enforced: enforced.action,
    pending: pending.action,
    by: describeHit(pending.hit),
    firstSeconds: fact.firstSeconds,
    lastSeconds: fact.lastSeconds,
    flowCount: fact.flowCount,
  }));
  const merged = [
    ...groupBy(found, ({ src, dst, port, reporter, enforced, by }) =>
      [src, dst, port, reporter, enforced, by].join('\n'),
    ).values(),
  ].map((group) => ({
    ...group[0],
    ...mergeTotals(group),
  }));
  return sortedBy(merged, ({ pending, src, dst, port, reporter, by }) => [
    pending === 'deny' ? 0 : 1,
    src,
    dst,
    port,
    reporter,
    by,
  ]);
}

function decidedByOthers(entries: readonly Entry[], staged: ReadonlySet<string>): DecidedByOther[] {
  const groups = groupBy(entries, ({ fact, pending }) =>
    [subjectKey(reportedSubject(fact)), pending.action, describeHit(pending.hit)].join('\n'),
  );
  const found = [...groups.values()].map((group): DecidedByOther => {
    const [{ fact, pending }] = group;
    const { lastSeconds, flowCount } = mergeTotals(group.map((entry) => entry.fact));
    return {
      ...reportedSubject(fact),
      policy: describeHit(pending.hit),
      action: pending.action,
      besideStaged: staged.has(subjectKey(reportedSubject(fact))),
      isProfile: pending.hit.k === 'Profile',
      lastSeconds,
      flowCount,
    };
  });
  return sortedBy(found, ({ namespace, direction, policy, action, flowCount }) => [
    -flowCount,
    namespace,
    direction,
    policy,
    action,
  ]);
}
