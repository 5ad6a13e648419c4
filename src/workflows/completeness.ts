import { proxyActivities } from '@temporalio/workflow';
import type { CompletenessResult } from '../activities/completeness.ts';
import type { Activities } from '../activities/index.ts';
import { jobFailure } from './job-failure.ts';
import { nominalId } from './job.ts';

/** Below the schedule's execution timeout, so that a failed run shows its activity's last error. */
const { reportCompleteness } = proxyActivities<Activities>({
  summary: 'Assess all namespaces, post changes',
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '110m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
});

/**
 * Assesses for each namespace whether an allowlist derived now would be complete. Posts changes to Slack, and the full report
 * once a week. A second run with the same nominal time repeats the same report and posts nothing twice.
 */
export async function allowlistCompleteness(): Promise<CompletenessResult> {
  try {
    return await reportCompleteness({
      reportId: nominalId('completeness'),
    });
  } catch (error) {
    throw jobFailure('The completeness report was not posted', error);
  }
}
