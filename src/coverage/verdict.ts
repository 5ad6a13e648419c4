import { daySeconds } from '../time/units.ts';
import type { TimeSpans } from './covered-time.ts';

/** Minimum number of covered days for `complete`, whatever the settings (see the runbook's caveat). */
export const leastDays = 7;

export const verdicts = ['complete', 'unstable', 'learning', 'stale'] as const;
/**
 * `learning`: observed for fewer than the required days. `unstable`: a new egress edge appeared recently. `stale`: not seen
 * recently. `complete`: none of these. All periods are measured in covered days, because a gap is not evidence.
 */
export type Verdict = (typeof verdicts)[number];

/** In covered days. */
export interface Thresholds {
  /** Fewer: `learning`. Values below seven count as seven. */
  minimumDays: number;
  /** Days without a new edge before a namespace is stable. */
  stableDays: number;
  /** Days without an observation before a namespace is `stale`. When it reappears, observation starts again. */
  staleDays: number;
}

/** The inputs of a verdict that are the same for all namespaces. */
export interface Standards {
  covered: TimeSpans;
  nowSeconds: number;
  thresholds: Thresholds;
}

/** Times of one namespace, epoch seconds; undefined if not known. */
interface Moments {
  /** Start of the current observation. */
  watched: number | undefined;
  /** Last seen. */
  last: number | undefined;
  /** First seen time of its newest egress edge. */
  newest: number | undefined;
}

/**
 * Assesses how complete the observation of a namespace is.
 * @returns the verdict and when it began; undefined if the observation has not begun
 */
export function judge(
  { watched, last, newest }: Moments,
  { covered, nowSeconds, thresholds }: Standards,
): { verdict: Verdict; sinceSeconds: number | undefined } {
  const whenPassed = (from: number, days: number) => covered.whenPassed(from, days * daySeconds);
  const staleAt = last === undefined ? undefined : whenPassed(last, thresholds.staleDays);
  if (isBy(nowSeconds, staleAt)) return { verdict: 'stale', sinceSeconds: staleAt };
  const learnedAt = watched === undefined ? undefined : whenPassed(watched, requiredDays(thresholds));
  if (!isBy(nowSeconds, learnedAt)) return { verdict: 'learning', sinceSeconds: watched };
  if (newest === undefined) return { verdict: 'complete', sinceSeconds: learnedAt };
  const stableAt = whenPassed(newest, thresholds.stableDays);
  if (!isBy(nowSeconds, stableAt)) return { verdict: 'unstable', sinceSeconds: newest };
  return { verdict: 'complete', sinceSeconds: Math.max(learnedAt, stableAt) };
}

/** Covered days required for `complete`. */
export function requiredDays({ minimumDays }: Thresholds): number {
  return Math.max(leastDays, minimumDays);
}

/**
 * The days since the namespace was last stale. After a stale period, the same name may belong to a different workload.
 * @param days days on which it was seen, in any order
 */
export function daysWatched<Day extends { firstSeconds: number; lastSeconds: number }>(
  days: readonly Day[],
  { covered, nowSeconds, thresholds }: Standards,
): Day[] {
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

/** False for times in the future: this machine's clock may be behind the clock that wrote the coverage. */
function isBy(nowSeconds: number, moment: number | undefined): moment is number {
  return moment !== undefined && moment <= nowSeconds;
}
