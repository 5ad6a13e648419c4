import { Failure, isFailureOf } from '../failure/failure.ts';

export type ReceiverFailureKind =
  /** A file with headers, CA, certificate or key cannot be read or used. */
  | 'unreadable_file'
  | 'dns'
  | 'connection_refused'
  /** The connection was closed or reset, or there is no route. */
  | 'unreachable'
  | 'timeout'
  /** TLS: its certificate is not signed by a known CA, has expired, or is for another name. */
  | 'untrusted'
  /** It asks to try again later: 429, 502, 503 or 504. */
  | 'busy'
  /** Another status than success: nothing was accepted, and a person has to correct something. */
  | 'refused'
  /** It answers, but not as a receiver of OTLP does. */
  | 'not_otlp';

/** Always retryable: the records are sent again while Goldmane still has them. */
export type ReceiverFailure = Failure<'receiver', ReceiverFailureKind> & {
  /** How long the receiver asked to wait, milliseconds. */
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
