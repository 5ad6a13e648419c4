import { proxyActivities } from '@temporalio/workflow';
import type { HousekeepingResult } from '../activities/housekeeping.ts';
import type { Activities } from '../activities/index.ts';
import { jobFailure } from './job-failure.ts';

/** Below the schedule's execution timeout, so that a failed run shows its activity's last error. */
const { applyRetention } = proxyActivities<Activities>({
  summary: 'Delete and compact old rows',
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '50m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
});

/** Deletes or compacts rows older than the retention settings, never an edge, a fact or a gap. Returns the counts. */
export async function housekeeping(): Promise<HousekeepingResult> {
  try {
    return await applyRetention();
  } catch (error) {
    throw jobFailure('Housekeeping failed', error);
  }
}
