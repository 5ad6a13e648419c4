import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { allowlistTaskQueue } from '../config/temporal-names.ts';
import { jobFailure } from './job-failure.ts';

/**
 * Derives allowlists from observed flows on demand. The activity validates the input: invalid input fails the run
 * without a retry, and the failure lists every invalid field.
 * The result is small; the artefacts are in Postgres under its
 * `allowlistId` (`flow-trail allowlist show`). While the database is unavailable it retries for half an hour, then fails
 * with the database's last error.
 */
export async function deriveAllowlist(input?: unknown): ReturnType<Activities['deriveAllowlist']> {
  const { taskQueue, startTime } = workflowInfo();
  const { deriveAllowlist: derive } = proxyActivities<Pick<Activities, 'deriveAllowlist'>>({
    taskQueue: allowlistTaskQueue(taskQueue),
    startToCloseTimeout: '5 minutes',
    scheduleToCloseTimeout: '30 minutes',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
    summary: 'Derive and store the allowlist',
  });
  try {
    // The start time is the default for `until`, so that a retry derives from the same period.
    return await derive(input, startTime.toISOString());
  } catch (error) {
    throw jobFailure('The allowlist was not derived', error);
  }
}
