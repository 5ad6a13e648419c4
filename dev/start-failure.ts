import { Failure, isFailureOf } from '../src/failure/failure.ts';

/** A part of the local stack could not be started or found. */
export function startFailure(
  what: string,
  cure: string,
  { cause, kind = 'start' }: { cause?: unknown; kind?: StartFailureKind } = {},
): StartFailure {
  return new Failure({ system: 'stack', kind, what, cure, retryable: false, cause });
}

/** Set if another attempt can help: the `port` was taken, or an `earlier_server` is still running on the data. */
type StartFailureKind = 'start' | 'port' | 'earlier_server';
export type StartFailure = Failure<'stack', StartFailureKind>;

export function isStartFailure(error: unknown): error is StartFailure {
  return isFailureOf('stack', error);
}
