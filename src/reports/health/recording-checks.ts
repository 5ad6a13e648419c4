import { longestOf, totalSeconds } from '../../coverage/durations.ts';
import type { Severity } from '../../coverage/severity.ts';
import { spanText } from '../../time/zoned-time.ts';
import type { CoverageStretch } from '../../trail/coverage-ranges/coverage.ts';
import type { HealthTrail } from './facts.ts';
import { check, withoutStop, type HealthCheck, type HealthStatus } from './report.ts';

/** Settling ends 55 minutes after a bucket; older streamed time is never settled. */
const decidedSeconds = 65 * 60;
const statusOf: Record<Severity, HealthStatus> = { good: 'PASS', warning: 'WARN', critical: 'FAIL' };

export function freshnessCheck(
  { freshness, newestBucket }: HealthTrail,
  formatTime: (time: Date) => string,
): HealthCheck {
  const newest = newestBucket ? `newest bucket ${formatTime(newestBucket)}` : 'no bucket yet';
  if (freshness.severity === 'good') return check('freshness', 'PASS', newest);
  return check(
    'freshness',
    statusOf[freshness.severity],
    `${withoutStop(freshness.what)} (${newest})`,
    freshness.cause,
  );
}

export function coverageCheck(coverage: readonly CoverageStretch[], nowMs: number): HealthCheck {
  const missed = coverage.filter(
    ({ state, toSeconds }) =>
      state === 'gap' ||
      state === 'incomplete' ||
      (state === 'streamed' && toSeconds < nowMs / 1000 - decidedSeconds),
  );
  if (coverage.length === 0)
    return check(
      'coverage',
      'WARN',
      'nothing was recorded in the last day',
      'flow-trail status shows the state of the readers',
    );
  const missedSeconds = totalSeconds(missed);
  if (missedSeconds === 0) return check('coverage', 'PASS', 'no gap in the last day');
  const longest = longestOf(missed);
  const cause =
    longest?.cause ?? (longest?.state === 'incomplete' ? 'records were rejected' : 'only streamed');
  return check(
    'coverage',
    missedSeconds * 2 > totalSeconds(coverage) ? 'FAIL' : 'WARN',
    `${spanText(missedSeconds)} of the last day not fully observed; longest cause: ${cause}`,
    'flow-trail coverage --since 24h --gaps shows each gap and its cause; records that Goldmane no longer has cannot be recovered',
  );
}
