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
  /** The supervisor, a schedule or an activity belongs to another database. */
  | 'wrong_trail'
  /** The supervisor does not exist or does not run. */
  | 'no_supervisor'
  /** The supervisor exists, but no worker answers for it. */
  | 'no_worker';

/** Temporal could not be reached or refused the request. Never contains a secret. */
export type TemporalFailure = Failure<'temporal', TemporalFailureKind>;

export function temporalFailure(kind: TemporalFailureKind, what: string, cure: string): TemporalFailure {
  return new Failure({ system: 'temporal', kind, what, cure, retryable: true });
}

/** @param owner the supervisor, schedule or activity that belongs to trail `other` */
export function wrongTrail(owner: string, other: string, own: string): TemporalFailure {
  return new Failure({
    system: 'temporal',
    kind: 'wrong_trail',
    what: `${owner} belongs to another database: its trail id is ${other}, that of this database is ${own}`,
    cure: 'set CLUSTER_NAME or TEMPORAL_NAMESPACE to one that no other installation uses, or correct DATABASE_URL; if this database replaces the other, see docs/clusters.md',
    retryable: false,
  });
}

export function isTemporalFailure(error: unknown): error is TemporalFailure {
  return isFailureOf('temporal', error);
}
