import { daySeconds } from '../time/units.ts';
import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import type { NamespaceDay, NamespaceObservation } from '../trail/facts/namespace-observations.ts';
import { coveredTime, floorToTenthDay, missedTime, type TimeSpans } from '../coverage/covered-time.ts';
import { missedRanges, type MissedRanges } from '../coverage/missed-ranges.ts';
import { hoursInWords, LocalWeek } from '../coverage/local-week.ts';
import { weekdays, type Weekday } from '../time/weekdays.ts';
import {
  daysWatched,
  judge,
  requiredDays,
  type Standards,
  type Thresholds,
  type Verdict,
} from '../coverage/verdict.ts';

const hoursOfWeek = 7 * 24;

export interface NamespaceCompleteness {
  namespace: string;
  verdict: Verdict;
  /** When the verdict began, derived from the observations. */
  since: Date;
  /** First settled observation, or the first after it was stale. Null if nothing is settled yet. */
  watchedSince: Date | null;
  lastSeen: Date | null;
  /** Settled days since then, rounded down to a tenth. */
  coveredDays: number;
  /** Days since then that were gaps, incomplete or only streamed, rounded up to a tenth. */
  uncoveredDays: number;
  /** Edges with any action, because a denied edge also needs a decision. */
  egressEdges: number;
  newestEdge: Date | null;
  /** Covered days since the newest egress edge; null if there is none. */
  daysSinceNewEdge: number | null;
  /** UTC days on which it was seen. */
  daysSeen: number;
  /** Local weekdays and hours of the day in which it was the source of a flow. */
  weekdaysSeen: Weekday[];
  hoursSeen: number[];
  /** Hours of the local week never covered since `watchedSince`: a weekly job in them was not observed. */
  neverCovered: string[];
}

export interface CompletenessReport extends MissedRanges {
  madeAt: Date;
  timeZone: string;
  thresholds: Thresholds;
  /** Start of the trail; null before the first observation. */
  trailBegan: Date | null;
  /** Days since then. */
  coveredDays: number;
  uncoveredDays: number;
  counts: Record<Verdict, number>;
  /** By name. */
  namespaces: NamespaceCompleteness[];
}

export interface CompletenessInput {
  observations: readonly NamespaceObservation[];
  /** The whole coverage of the trail, in any order. */
  coverage: readonly CoverageStretch[];
  nowSeconds: number;
  timeZone: string;
  thresholds: Thresholds;
}

/** Assesses for each namespace whether an allowlist derived from the observations would be complete. Pure. */
export function assessCompleteness({
  observations,
  coverage,
  nowSeconds,
  timeZone,
  thresholds,
}: CompletenessInput): CompletenessReport {
  const covered = coveredTime(coverage);
  const week = new LocalWeek(timeZone);
  const scene = {
    covered,
    missed: missedTime(coverage),
    week,
    nowSeconds,
    thresholds,
    latestHours: week.latestCoveredHours(covered, nowSeconds),
  };
  const namespaces = observations
    .map((observation) => assess(observation, scene))
    .toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
  const count = (verdict: Verdict) => namespaces.filter((row) => row.verdict === verdict).length;
  const [began] = coverage.map(({ fromSeconds }) => fromSeconds).toSorted((a, b) => a - b);
  return {
    madeAt: date(nowSeconds),
    timeZone,
    thresholds: { ...thresholds, minimumDays: requiredDays(thresholds) },
    trailBegan: dateOrNull(began),
    ...daysFrom(began, scene),
    ...missedRanges(coverage),
    counts: {
      complete: count('complete'),
      unstable: count('unstable'),
      learning: count('learning'),
      stale: count('stale'),
    },
    namespaces,
  };
}

interface AssessmentContext extends Standards {
  missed: TimeSpans;
  week: LocalWeek;
  latestHours: readonly (number | undefined)[];
}

function assess(observation: NamespaceObservation, scene: AssessmentContext): NamespaceCompleteness {
  const { namespace, egressEdges, newestEgressEdgeSeconds: newest } = observation;
  const { covered, nowSeconds, latestHours } = scene;
  const days = daysWatched(observation.days, scene);
  const watched = days[0]?.firstSeconds;
  const last = latestOf(days.at(-1)?.lastSeconds, observation.edgesLastSeconds);
  const seen = seenHours(days, scene.week);
  const neverCovered = latestHours.flatMap((at, hour) =>
    at === undefined || watched === undefined || at < watched ? [hour] : [],
  );
  const { verdict, sinceSeconds } = judge({ watched, last, newest }, scene);
  return {
    namespace,
    verdict,
    since: date(sinceSeconds ?? observation.edgesFirstSeconds ?? nowSeconds),
    watchedSince: dateOrNull(watched),
    lastSeen: dateOrNull(last),
    ...daysFrom(watched, scene),
    egressEdges,
    newestEdge: dateOrNull(newest),
    daysSinceNewEdge: newest === undefined ? null : floorToTenthDay(covered.between(newest, nowSeconds)),
    daysSeen: days.length,
    weekdaysSeen: weekdays.filter((_, index) => seen.weekdays.has(index)),
    hoursSeen: [...seen.hours].toSorted((a, b) => a - b),
    neverCovered: hoursInWords(neverCovered),
  };
}

function seenHours(
  days: readonly NamespaceDay[],
  week: LocalWeek,
): { weekdays: Set<number>; hours: Set<number> } {
  const slots = new Set<number>();
  for (const { day, egressHours } of days) {
    // All thresholds are met.
    if (slots.size === hoursOfWeek) break;
    for (const [hour, slot] of week.hoursOfDay(day).entries()) if ((egressHours >> hour) & 1) slots.add(slot);
  }
  return {
    weekdays: new Set([...slots].map((slot) => Math.floor(slot / 24))),
    hours: new Set([...slots].map((slot) => slot % 24)),
  };
}

function daysFrom(
  from: number | undefined,
  { covered, missed, nowSeconds }: AssessmentContext,
): { coveredDays: number; uncoveredDays: number } {
  if (from === undefined) return { coveredDays: 0, uncoveredDays: 0 };
  return {
    coveredDays: floorToTenthDay(covered.between(from, nowSeconds)),
    uncoveredDays: Math.ceil((missed.between(from, nowSeconds) * 10) / daySeconds) / 10,
  };
}

function latestOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function date(seconds: number): Date {
  return new Date(seconds * 1000);
}

function dateOrNull(seconds: number | undefined): Date | null {
  return seconds === undefined ? null : date(seconds);
}
