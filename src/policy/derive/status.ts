import { daySeconds } from '../../time/units.ts';
import type { CoverageStretch } from '../../trail/coverage-ranges/coverage.ts';
import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import { coveredTime, floorToTenthDay, type TimeSpans } from '../../coverage/covered-time.ts';
import { daysWatched, judge, requiredDays, type Thresholds } from '../../coverage/verdict.ts';
import type { NamespaceStatus } from './model.ts';

/** Assesses how complete a set of facts is, by the rules of the completeness report, except that a new port,
 * identity or direction also counts as new.
 * The verdict is as of the end of the covered time, not of the current time.
 */
export function namespaceJudge(
  stretches: readonly CoverageStretch[],
  thresholds: Thresholds,
): (facts: readonly FlowEvidence[], changes: readonly FlowEvidence[]) => NamespaceStatus {
  const covered = coveredTime(stretches);
  return (facts, changes) => statusOf({ facts, changes, stretches, covered, thresholds });
}

const leastCompleteFirst: readonly NamespaceStatus['verdict'][] = [
  'learning',
  'stale',
  'unstable',
  'complete',
];

/** The least complete status; among equal ones, the one with the fewest covered days. */
export function leastComplete(first: NamespaceStatus, others: readonly NamespaceStatus[]): NamespaceStatus {
  const rank = ({ verdict }: NamespaceStatus) => leastCompleteFirst.indexOf(verdict);
  return others.reduce(
    (least, status) =>
      rank(status) < rank(least) || (rank(status) === rank(least) && status.coveredDays < least.coveredDays)
        ? status
        : least,
    first,
  );
}

interface StatusInput {
  facts: readonly FlowEvidence[];
  /** Those that count as new traffic. */
  changes: readonly FlowEvidence[];
  stretches: readonly CoverageStretch[];
  covered: TimeSpans;
  thresholds: Thresholds;
}

function statusOf({ facts, changes, stretches, covered, thresholds }: StatusInput): NamespaceStatus {
  const last = facts.reduce((max, { lastSeconds }) => Math.max(max, lastSeconds), Number.NEGATIVE_INFINITY);
  const newest = changes.reduce(
    (max, { firstSeconds }) => Math.max(max, firstSeconds),
    Number.NEGATIVE_INFINITY,
  );
  const nowSeconds = covered.endedAt ?? last;
  const standards = { covered, nowSeconds, thresholds };
  const watched = daysWatched(daysSeen(facts), standards)[0]?.firstSeconds;
  const since = watched ?? nowSeconds;
  return {
    verdict: judge({ watched, last, newest }, standards).verdict,
    coveredDays: floorToTenthDay(covered.between(since, nowSeconds)),
    requiredDays: requiredDays(thresholds),
    gaps: stretches
      .filter(
        ({ state, toSeconds }) =>
          toSeconds > since && (state === 'gap' || state === 'streamed' || state === 'incomplete'),
      )
      .map(({ fromSeconds, toSeconds, state, cause, refusedRecords }) => ({
        fromSeconds: Math.max(fromSeconds, since),
        toSeconds,
        cause:
          state === 'streamed'
            ? 'only streamed, not settled; facts exist only for settled time'
            : state === 'incomplete'
              ? `${refusedRecords ?? 0} records were rejected because they could not be read`
              : (cause ?? 'unknown'),
      })),
  };
}

/** The UTC days on which any of the facts was seen, each with the earliest and latest possible time. */
function daysSeen(facts: readonly FlowEvidence[]): { firstSeconds: number; lastSeconds: number }[] {
  const seen = new Map<number, { firstSeconds: number; lastSeconds: number }>();
  for (const fact of facts)
    for (const day of fact.days) {
      const known = seen.get(day);
      const first = Math.max(fact.firstSeconds, day * daySeconds);
      const last = Math.min(fact.lastSeconds, (day + 1) * daySeconds);
      seen.set(day, {
        firstSeconds: Math.min(known?.firstSeconds ?? first, first),
        lastSeconds: Math.max(known?.lastSeconds ?? last, last),
      });
    }
  return [...seen.values()];
}
