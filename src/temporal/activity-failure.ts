import { ApplicationFailure } from '@temporalio/common';
import { isFailure } from '../failure/failure.ts';

/**
 * Maps any error to what an activity throws. A Failure becomes an ApplicationFailure of type `<system>_<kind>`, which
 * the Temporal UI shows with its cause and what to do; it is retried unless the failure says otherwise.
 * Other errors pass unchanged.
 */
export function toActivityFailure(error: unknown): Error {
  if (isFailure(error)) {
    const { system, kind, message, retryable } = error;
    const delayMs: unknown = 'retryAfterMs' in error ? error.retryAfterMs : undefined;
    return ApplicationFailure.create({
      type: `${system}_${kind}`,
      message,
      nonRetryable: !retryable,
      ...(typeof delayMs === 'number' ? { nextRetryDelay: delayMs } : {}),
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}
