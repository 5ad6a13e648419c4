import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import { totalSeconds } from '../coverage/durations.ts';
import { spanText } from '../time/zoned-time.ts';
import { counted } from '../text/counted.ts';

/** Buckets are settled at six minutes; a bucket still open at this age is reported. */
const usualWaitSeconds = 15 * 60;

interface ToldGap {
  /** In the reader's zone. */
  from: string;
  to: string;
  seconds: number;
  cause: string;
}

/** The time that was not observed since the last report. Texts show times in the reader's zone. */
export interface CoverageSummary {
  /** True if nothing was ever observed. */
  isEmpty: boolean;
  /** Start of the trail, if it is within the reported time. */
  trailBegan: string | undefined;
  gaps: ToldGap[];
  gapSeconds: number;
  /** Time ranges from which records were rejected, with the count. */
  incompleteSeconds: number;
  refusedRecords: number;
  /** Start of the time that should have been settled by now but is not. */
  openSince: string | undefined;
}

/**
 * Summarises coverage for a report. Pure.
 * @param coverage stretches from `from` to `now`
 * @param time formats a time
 */
export function summariseCoverage(
  coverage: readonly CoverageStretch[],
  { from, now, time }: { from: Date; now: Date; time: (at: Date) => string },
): CoverageSummary {
  const at = (seconds: number) => time(new Date(seconds * 1000));
  const reportedUntilSeconds = gapsReportedUntil(coverage, now).getTime() / 1000;
  const gaps = coverage
    .filter(({ state, fromSeconds }) => state === 'gap' && fromSeconds < reportedUntilSeconds)
    .map(({ fromSeconds, toSeconds, cause }) => ({
      from: at(fromSeconds),
      to: at(toSeconds),
      seconds: toSeconds - fromSeconds,
      cause: cause ?? 'unknown cause',
    }));
  const incomplete = coverage.filter(
    ({ state, fromSeconds }) => state === 'incomplete' && fromSeconds < reportedUntilSeconds,
  );
  const [first] = coverage;
  const isOpenForLong = now.getTime() / 1000 - reportedUntilSeconds > usualWaitSeconds;
  return {
    isEmpty: first === undefined,
    trailBegan: first && first.fromSeconds > from.getTime() / 1000 ? at(first.fromSeconds) : undefined,
    gaps,
    gapSeconds: gaps.reduce((sum, { seconds }) => sum + seconds, 0),
    incompleteSeconds: totalSeconds(incomplete),
    refusedRecords: incomplete.reduce((sum, { refusedRecords = 0 }) => sum + refusedRecords, 0),
    openSince: isOpenForLong ? at(reportedUntilSeconds) : undefined,
  };
}

/**
 * The time up to which gaps are reported. Time that is still open is reported by the next digest, so that each gap
 * is reported once.
 */
export function gapsReportedUntil(coverage: readonly CoverageStretch[], now: Date): Date {
  const open = coverage.find(({ state }) => state === 'pending');
  return open ? new Date(open.fromSeconds * 1000) : now;
}

/**
 * One sentence per finding, the most important first; empty if everything was observed.
 * @param quote escapes a cause for where it is shown
 */
export function coverageLines(
  { isEmpty, trailBegan, gaps, gapSeconds, incompleteSeconds, refusedRecords, openSince }: CoverageSummary,
  { quote, atMost }: { quote: (cause: string) => string; atMost: number },
): string[] {
  if (isEmpty) return ['Nothing has been observed yet: the trail is empty.'];
  const lines: string[] = [];
  if (gaps.length > 0) {
    lines.push(`Not observed: ${spanText(gapSeconds)}, in ${counted(gaps.length, 'gap')}.`);
    for (const { from, to, seconds, cause } of gaps.slice(0, atMost))
      lines.push(`${from} to ${to} (${spanText(seconds)}): ${quote(cause)}`);
  }
  const rest = gaps.slice(atMost);
  if (rest.length > 0) {
    const seconds = rest.reduce((sum, gap) => sum + gap.seconds, 0);
    lines.push(`and ${counted(rest.length, 'more gap')}, ${spanText(seconds)}: flow-trail coverage --gaps`);
  }
  if (incompleteSeconds > 0)
    lines.push(
      `Incomplete: ${spanText(incompleteSeconds)}, ${counted(refusedRecords, 'record')} rejected: flow-trail coverage --gaps`,
    );
  if (openSince !== undefined)
    lines.push(`No bucket has been settled since ${openSince}; the next digest covers that time.`);
  if (trailBegan !== undefined)
    lines.push(`The trail begins at ${trailBegan}; earlier time was not observed.`);
  return lines;
}
