import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { AllowlistSummary } from '../activities/make-allowlist.ts';
import { parseAllowlistInput } from '../allowlist-input.ts';

const { deriveAllowlist: derive } = proxyActivities<Pick<Activities, 'deriveAllowlist'>>({
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * Derives allowlists from what was observed, on demand. Wrong input fails the run for good, every wrong field named. The
 * result is small; the artefacts are in Postgres under its `allowlistId` (`flow-trail allowlist show`).
 */
export async function deriveAllowlist(input?: unknown): Promise<AllowlistSummary> {
  const parsed = parseAllowlistInput(input);
  if ('problems' in parsed)
    throw ApplicationFailure.create({
      type: 'bad_input',
      message: `The input of deriveAllowlist is wrong: ${parsed.problems.join('; ')}`,
      nonRetryable: true,
    });
  // Fixed here, so that a retry derives from the same period.
  const until = parsed.input.until ?? workflowInfo().startTime.toISOString();
  return derive({ ...parsed.input, until });
}
