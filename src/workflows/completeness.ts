import { proxyActivities } from '@temporalio/workflow';
import type { CompletenessResult } from '../activities/completeness.ts';
import type { Activities } from '../activities/index.ts';
import { jobFailure } from './job-failure.ts';
import { nominalId } from './job.ts';

/** Less than the schedule gives a run: then it ends with the words of its last failure. */
const { reportCompleteness } = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '110m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
});

/**
 * Judges of each namespace whether an allowlist from what was observed would be complete, and tells in Slack when that
 * changed, and the whole once a week. Run again for the same nominal time it is the same report, and says nothing twice.
 */
export async function allowlistCompleteness(): Promise<CompletenessResult> {
  try {
    return await reportCompleteness({
      reportId: nominalId('completeness'),
    });
  } catch (error) {
    throw jobFailure('The report on completeness was not told', error);
  }
}
