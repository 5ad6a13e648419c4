import { Failure, isFailureOf } from '../failure/failure.ts';

export type TemporalFailureKind =
  /** Something answers at the address, but not with Temporal's gRPC. */
  | 'not_temporal'
  | 'dns'
  | 'connection_refused'
  | 'unreachable'
  /** The server's certificate does not verify with the CA file. */
  | 'server_untrusted'
  | 'wrong_server_name'
  | 'client_certificate_refused'
  | 'tls'
  | 'no_namespace'
  | 'access_denied'
  | 'unavailable'
  | 'unexpected'
  /** The supervisor does not exist or does not run. */
  | 'no_supervisor'
  /** The supervisor exists, but no worker answers for it. */
  | 'no_worker';

/** Temporal could not be reached or refused the request. Never contains a secret. */
export type TemporalFailure = Failure<'temporal', TemporalFailureKind>;

export function temporalFailure(kind: TemporalFailureKind, what: string, cure: string): TemporalFailure {
  return new Failure({ system: 'temporal', kind, what, cure, retryable: true });
}

export function isTemporalFailure(error: unknown): error is TemporalFailure {
  return isFailureOf('temporal', error);
}
