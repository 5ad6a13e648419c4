import { Failure, isFailureOf } from '../failure/failure.ts';

/** A job's run failed; `message` is its failure message. */
export function jobFailure(message: string): Failure<'job'> {
  return new Failure({ system: 'job', kind: 'failed', what: message, cure: '', retryable: false });
}

export function isJobFailure(error: unknown): error is Failure<'job'> {
  return isFailureOf('job', error);
}
