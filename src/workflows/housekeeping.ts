import { proxyActivities } from '@temporalio/workflow';
import type { HousekeepingResult } from '../activities/housekeeping.ts';
import type { Activities } from '../activities/index.ts';
import { jobFailure } from './job-failure.ts';

/** Less than the schedule gives a run: then it ends with the words of its last failure. */
const { applyRetention } = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '50m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
});

/** Forgets what the retention settings allow to be forgotten; never an edge, a fact or a gap. Returns how much that was. */
export async function housekeeping(): Promise<HousekeepingResult> {
  try {
    return await applyRetention();
  } catch (error) {
    throw jobFailure('Old rows were not forgotten', error);
  }
}
