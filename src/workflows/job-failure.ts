import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';

/**
 * How a job's run fails so that the first line of it in the UI says what broke and what cures it: with its activity's last
 * words, instead of "Activity task failed".
 * @param what was not done, for example `The digest was not posted`
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
      message: `${what}: ${error.activityType} did not end in time (${cause.timeoutType}); see whether the worker runs, and its log`,
      nonRetryable: true,
      cause: error,
    });
  return error;
}
