import { daySeconds, type TimeSpans } from './covered-time.ts';

/** Below so many covered days nothing is ever called complete, whatever the settings (runbook, caveat). */
export const leastDays = 7;

export const verdicts = ['complete', 'unstable', 'learning', 'stale'] as const;
/**
 * `learning`: watched for too short a time. `unstable`: something new came lately. `complete`: neither. `stale`: not seen any
 * more. Lately, too short and any more are measured in covered days: in a gap nothing can be learnt, and nobody goes away.
 */
export type Verdict = (typeof verdicts)[number];

/** All in covered days. */
export interface Thresholds {
  /** Below it a namespace is learning; taken for seven where it is less. */
  minimumDays: number;
  /** Without anything new, before a namespace is stable. */
  stableDays: number;
  /** Without any sight of it, before a namespace is stale; and when it comes back, watching begins anew. */
  staleDays: number;
}

/** By what a verdict is reached. */
export interface Standards {
  covered: TimeSpans;
  nowSeconds: number;
  thresholds: Thresholds;
}

/** Of one namespace, epoch seconds; undefined where there was no such moment. */
export interface Moments {
  /** Since when it has been watched. */
  watched: number | undefined;
  /** When it was last seen. */
  last: number | undefined;
  /** When the newest of what it does was first seen. */
  newest: number | undefined;
}

/**
 * How far what was observed of a namespace can be trusted to be all.
 * @returns the verdict, and since when it has held; undefined while it is not even watched
 */
export function judge(
  { watched, last, newest }: Moments,
  { covered, nowSeconds, thresholds }: Standards,
): { verdict: Verdict; sinceSeconds: number | undefined } {
  const whenPassed = (from: number, days: number) => covered.whenPassed(from, days * daySeconds);
  const staleAt = last === undefined ? undefined : whenPassed(last, thresholds.staleDays);
  if (isBy(nowSeconds, staleAt)) return { verdict: 'stale', sinceSeconds: staleAt };
  const learntAt = watched === undefined ? undefined : whenPassed(watched, requiredDays(thresholds));
  if (!isBy(nowSeconds, learntAt)) return { verdict: 'learning', sinceSeconds: watched };
  if (newest === undefined) return { verdict: 'complete', sinceSeconds: learntAt };
  const stableAt = whenPassed(newest, thresholds.stableDays);
  if (!isBy(nowSeconds, stableAt)) return { verdict: 'unstable', sinceSeconds: newest };
  return { verdict: 'complete', sinceSeconds: Math.max(learntAt, stableAt) };
}

/** Covered days before anything is called complete. */
export function requiredDays({ minimumDays }: Thresholds): number {
  return Math.max(leastDays, minimumDays);
}

/**
 * The days since it was last stale: who comes back after so long may be somebody else by the same name.
 * @param days on which it was seen, in any order
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

/** What lies ahead has not happened: coverage never does, but the clock that tells now may be behind it. */
function isBy(nowSeconds: number, moment: number | undefined): moment is number {
  return moment !== undefined && moment <= nowSeconds;
}
