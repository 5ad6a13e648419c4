import type { CoverageStretch } from '../trail/coverage.ts';
import type { NamespaceDay, NamespaceObservation } from '../trail/observations.ts';
import { coveredTime, daySeconds, missedTime, type TimeSpans } from './covered-time.ts';
import { hoursInWords, LocalWeek, weekdays, type Weekday } from './local-week.ts';

/** Below so many covered days nothing is ever called complete, whatever the settings (runbook, caveat). */
export const leastDays = 7;
const namedGaps = 50;

export const verdicts = ['complete', 'unstable', 'learning', 'stale'] as const;
/**
 * `learning`: watched for too short a time. `unstable`: a new egress edge came lately. `complete`: neither. `stale`: not seen
 * any more. Lately, too short and any more are measured in covered days: in a gap nothing can be learnt, and nobody goes away.
 */
export type Verdict = (typeof verdicts)[number];

/** All in covered days. */
export interface Thresholds {
  /** Below it a namespace is learning; taken for seven where it is less. */
  minimumDays: number;
  /** Without a new egress edge, before a namespace is stable. */
  stableDays: number;
  /** Without any sight of it, before a namespace is stale; and when it comes back, watching begins anew. */
  staleDays: number;
}

export interface NamespaceCompleteness {
  namespace: string;
  verdict: Verdict;
  /** Since when the verdict has held, reckoned from what was observed. */
  since: Date;
  /** Since when it has been watched: its first settled sight, or the first after it was stale. Null: nothing is settled yet. */
  watchedSince: Date | null;
  lastSeen: Date | null;
  /** Of the time since then what was settled; rounded down to a tenth. */
  coveredDays: number;
  /** And what was missed: gaps, and what was only streamed; rounded up to a tenth. */
  uncoveredDays: number;
  /** Whatever the action; a denied one is something to decide about, too. */
  egressEdges: number;
  newestEdge: Date | null;
  /** Covered days since the newest egress edge; null without one. */
  daysSinceNewEdge: number | null;
  /** Days (UTC) on which it was seen. */
  daysSeen: number;
  /** Local weekdays and hours of the day in which it was the source of a flow, to the hour. */
  weekdaysSeen: Weekday[];
  hoursSeen: number[];
  /** Hours of the local week that were not covered once while it was watched: a weekly job there cannot have been seen. */
  neverCovered: string[];
}

export interface CompletenessReport {
  madeAt: Date;
  timeZone: string;
  thresholds: Thresholds;
  /** When the trail began, null before. */
  trailBegan: Date | null;
  /** Of the time since then. */
  coveredDays: number;
  uncoveredDays: number;
  /** What was not covered of it, newest last, the newest 50. */
  gaps: { from: Date; to: Date; state: 'gap' | 'streamed'; cause?: string }[];
  gapCount: number;
  counts: Record<Verdict, number>;
  /** By name. */
  namespaces: NamespaceCompleteness[];
}

export interface CompletenessInput {
  observations: readonly NamespaceObservation[];
  /** Of all time that the trail speaks of, in any order. */
  coverage: readonly CoverageStretch[];
  nowSeconds: number;
  timeZone: string;
  thresholds: Thresholds;
}

/** Judges of each namespace whether an allowlist from what was observed would be complete. Pure. */
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
  const stretches = coverage.toSorted((a, b) => a.fromSeconds - b.fromSeconds);
  const gaps = stretches.flatMap(({ fromSeconds, toSeconds, state, cause }) =>
    state === 'gap' || state === 'streamed'
      ? [{ from: date(fromSeconds), to: date(toSeconds), state, ...(cause === undefined ? {} : { cause }) }]
      : [],
  );
  const began = stretches[0]?.fromSeconds;
  return {
    madeAt: date(nowSeconds),
    timeZone,
    thresholds: { ...thresholds, minimumDays: Math.max(leastDays, thresholds.minimumDays) },
    trailBegan: dateOrNull(began),
    ...daysFrom(began, scene),
    gaps: gaps.slice(-namedGaps),
    gapCount: gaps.length,
    counts: {
      complete: count('complete'),
      unstable: count('unstable'),
      learning: count('learning'),
      stale: count('stale'),
    },
    namespaces,
  };
}

interface Scene {
  covered: TimeSpans;
  missed: TimeSpans;
  week: LocalWeek;
  nowSeconds: number;
  thresholds: Thresholds;
  latestHours: readonly (number | undefined)[];
}

function assess(observation: NamespaceObservation, scene: Scene): NamespaceCompleteness {
  const { namespace, egressEdges, newestEgressEdgeSeconds: newest } = observation;
  const { covered, nowSeconds, latestHours } = scene;
  const days = daysWatched(observation.days, scene);
  const watched = days[0]?.firstSeconds;
  const last = latestOf(days.at(-1)?.lastSeconds, observation.edgesLastSeconds);
  const seen = seenHours(days, scene.week);
  const neverCovered = latestHours.flatMap((at, hour) =>
    at === undefined || watched === undefined || at < watched ? [hour] : [],
  );
  return {
    namespace,
    ...judge({ watched, last, newest, first: observation.edgesFirstSeconds }, scene),
    watchedSince: dateOrNull(watched),
    lastSeen: dateOrNull(last),
    ...daysFrom(watched, scene),
    egressEdges,
    newestEdge: dateOrNull(newest),
    daysSinceNewEdge: newest === undefined ? null : daysDown(covered.between(newest, nowSeconds)),
    daysSeen: days.length,
    weekdaysSeen: weekdays.filter((_, index) => seen.weekdays.has(index)),
    hoursSeen: [...seen.hours].toSorted((a, b) => a - b),
    neverCovered: hoursInWords(neverCovered),
  };
}

interface Moments {
  watched: number | undefined;
  last: number | undefined;
  newest: number | undefined;
  first: number | undefined;
}

function judge(
  { watched, last, newest, first }: Moments,
  { covered, nowSeconds, thresholds }: Scene,
): { verdict: Verdict; since: Date } {
  const whenPassed = (from: number, days: number) => covered.whenPassed(from, days * daySeconds);
  const staleAt = last === undefined ? undefined : whenPassed(last, thresholds.staleDays);
  if (isBy(nowSeconds, staleAt)) return { verdict: 'stale', since: date(staleAt) };
  const learntAt =
    watched === undefined ? undefined : whenPassed(watched, Math.max(leastDays, thresholds.minimumDays));
  if (!isBy(nowSeconds, learntAt))
    return { verdict: 'learning', since: date(watched ?? first ?? nowSeconds) };
  if (newest === undefined) return { verdict: 'complete', since: date(learntAt) };
  const stableAt = whenPassed(newest, thresholds.stableDays);
  if (!isBy(nowSeconds, stableAt)) return { verdict: 'unstable', since: date(newest) };
  return { verdict: 'complete', since: date(Math.max(learntAt, stableAt)) };
}

/** What lies ahead has not happened: coverage never does, but the clock that tells now may be behind it. */
function isBy(nowSeconds: number, moment: number | undefined): moment is number {
  return moment !== undefined && moment <= nowSeconds;
}

/** The days since it was last stale: who comes back after so long may be somebody else by the same name. */
function daysWatched(
  days: readonly NamespaceDay[],
  { covered, nowSeconds, thresholds }: Scene,
): NamespaceDay[] {
  const sorted = days
    .filter(({ firstSeconds }) => firstSeconds <= nowSeconds)
    .toSorted((a, b) => a.firstSeconds - b.firstSeconds);
  const start = sorted.findLastIndex((day, index) => {
    const before = sorted[index - 1];
    return (
      before !== undefined &&
      covered.between(before.lastSeconds, day.firstSeconds) >= thresholds.staleDays * daySeconds
    );
  });
  return start === -1 ? sorted : sorted.slice(start);
}

function seenHours(
  days: readonly NamespaceDay[],
  week: LocalWeek,
): { weekdays: Set<number>; hours: Set<number> } {
  const slots = new Set<number>();
  for (const { day, egressHours } of days)
    for (let hour = 0; hour < 24; hour += 1)
      if ((egressHours >> hour) & 1) slots.add(week.hourOfWeek(day * daySeconds + hour * 3_600));
  return {
    weekdays: new Set([...slots].map((slot) => Math.floor(slot / 24))),
    hours: new Set([...slots].map((slot) => slot % 24)),
  };
}

function daysFrom(
  from: number | undefined,
  { covered, missed, nowSeconds }: Scene,
): { coveredDays: number; uncoveredDays: number } {
  if (from === undefined) return { coveredDays: 0, uncoveredDays: 0 };
  return {
    coveredDays: daysDown(covered.between(from, nowSeconds)),
    uncoveredDays: Math.ceil((missed.between(from, nowSeconds) * 10) / daySeconds) / 10,
  };
}

function daysDown(seconds: number): number {
  return Math.floor((seconds * 10) / daySeconds) / 10;
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
