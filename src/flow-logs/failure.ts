import { Failure, isFailureOf } from '../failure/failure.ts';

export type ReceiverFailureKind =
  /** A file with headers, CA, certificate or key cannot be read or used. */
  | 'unreadable_file'
  | 'dns'
  | 'connection_refused'
  /** The connection was closed or reset, or there is no route. */
  | 'unreachable'
  | 'timeout'
  /** TLS: its certificate is not signed by a known CA, has expired, or is for a different name. */
  | 'untrusted'
  /** It requests a later retry: 429, 502, 503 or 504. */
  | 'busy'
  /** Another error status: no record was accepted, and the cause must be fixed by a person. */
  | 'refused'
  /** It responds, but not like an OTLP receiver. */
  | 'not_otlp';

/** Always retryable: the records are sent again while Goldmane still has them. */
export type ReceiverFailure = Failure<'receiver', ReceiverFailureKind> & {
  /** The delay that the receiver requested, milliseconds. */
  readonly retryAfterMs: number | undefined;
};

export function receiverFailure({
  kind,
  what,
  cure,
  retryAfterMs,
}: {
  kind: ReceiverFailureKind;
  what: string;
  cure: string;
  retryAfterMs?: number | undefined;
}): ReceiverFailure {
  const failure = new Failure({ system: 'receiver', kind, what, cure, retryable: true });
  return Object.assign(failure, { retryAfterMs });
}

export function isReceiverFailure(error: unknown): error is ReceiverFailure {
  return isFailureOf('receiver', error) && 'retryAfterMs' in error;
}
