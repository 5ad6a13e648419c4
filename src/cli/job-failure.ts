import { Failure, isFailureOf } from '../failure/failure.ts';

/** The run of a job failed; `message` is what it failed with. */
export function jobFailure(message: string): Failure<'job'> {
  return new Failure({ system: 'job', kind: 'failed', what: message, cure: '', retryable: false });
}

export function isJobFailure(error: unknown): error is Failure<'job'> {
  return isFailureOf('job', error);
}
