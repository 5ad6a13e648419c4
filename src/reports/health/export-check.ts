import { longestOf, totalSeconds } from '../../coverage/durations.ts';
import { spanText } from '../../time/zoned-time.ts';
import type { HealthTrail } from './facts.ts';
import { check, withoutStop, type HealthCheck } from './report.ts';

/** A bucket is settled after six minutes, and exported within a minute. */
const exportLateMs = 30 * 60_000;

/** Flow logs are only a copy, so a receiver that is down is never a FAIL. */
export function exportCheck(
  { isEnabled, activeAt, sentAt, trouble, upToSeconds, gaps }: HealthTrail['export'],
  nowMs: number,
  formatTime: (time: Date) => string,
): HealthCheck {
  if (!isEnabled) return check('export', 'PASS', 'flow logs are not exported');
  const lastError = trouble && (!sentAt || trouble.at > sentAt) ? trouble.text : '';
  const upTo =
    upToSeconds === undefined ? 'nothing yet' : `up to ${formatTime(new Date(upToSeconds * 1000))}`;
  if (!activeAt || activeAt.getTime() < nowMs - exportLateMs)
    return check(
      'export',
      'WARN',
      `no worker has exported flow logs since ${activeAt ? formatTime(activeAt) : 'the export was enabled'}`,
      'Check the log of the worker that has OTLP_LOGS_ENDPOINT, and the workflow flow-trail/export in the Temporal UI',
    );
  if (upToSeconds !== undefined && upToSeconds * 1000 < nowMs - exportLateMs)
    return check(
      'export',
      'WARN',
      `behind: flow logs have been exported ${upTo}`,
      lastError === '' ? 'flow-trail status shows how many buckets are waiting' : lastError,
    );
  const ownGaps = gaps.filter(({ reason }) => reason !== 'not_settled');
  const longest = longestOf(ownGaps);
  if (longest)
    return check(
      'export',
      'WARN',
      `${spanText(totalSeconds(ownGaps))} of the last day not fully exported; longest cause: ${withoutStop(longest.cause)}`,
      'flow-trail status shows each gap in the export; the trail itself is not affected',
    );
  return check('export', 'PASS', `flow logs have been exported ${upTo}`);
}
