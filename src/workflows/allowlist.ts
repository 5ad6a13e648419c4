import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { deriveAllowlist: derive } = proxyActivities<Pick<Activities, 'deriveAllowlist'>>({
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * Derives allowlists on demand from what was observed. The activity validates the input: wrong input fails the run without
 * a retry, and the failure names every wrong field. The result is small; the artefacts are in Postgres under its
 * `allowlistId` (`flow-trail allowlist show`).
 */
export async function deriveAllowlist(input?: unknown): ReturnType<Activities['deriveAllowlist']> {
  // The start time is the default for `until`, so that a retry derives from the same period.
  return derive(input, workflowInfo().startTime.toISOString());
}
