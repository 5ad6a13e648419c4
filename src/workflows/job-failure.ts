import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';

/**
 * The failure of a job's run, with the last error of its activity as the message instead of "Activity task failed", so
 * that the first line in the Temporal UI shows the error and what to do.
 * @param what names the failed step, for example `The digest was not posted`
 */
export function jobFailure(what: string, error: unknown): unknown {
  if (!(error instanceof ActivityFailure)) return error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure)
    return ApplicationFailure.create({
      type: cause.type ?? 'job_failed',
      message: `${what}: ${cause.message}`,
      nonRetryable: true,
      cause: error,
    });
  if (cause instanceof TimeoutFailure)
    return ApplicationFailure.create({
      type: 'job_timed_out',
      message: `${what}: ${error.activityType} timed out (${cause.timeoutType}); check that the worker is running, and check its log`,
      nonRetryable: true,
      cause: error,
    });
  return error;
}
