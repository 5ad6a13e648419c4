import { Failure, isFailureOf } from '../failure/failure.ts';
import { iso } from '../time/iso.ts';
import { copyCertificatesAgain } from '../text/certificate-copies.ts';

export type GoldmaneFailureKind =
  /** Our certificate, its key or the CA bundle is missing, unreadable, or does not match the others. */
  | 'certificate_unreadable'
  /** Our certificate has expired, or is not valid yet. */
  | 'certificate_expired'
  /** Goldmane did not accept our certificate. */
  | 'certificate_refused'
  /** Goldmane's certificate is not signed by any CA of our bundle. */
  | 'unknown_ca'
  | 'server_certificate_expired'
  | 'wrong_server_name'
  | 'connection_refused'
  | 'dns'
  | 'timeout'
  /** The peer closed or reset the connection, disappeared, or is not Goldmane. */
  | 'unavailable'
  /** Goldmane rejected the call with a gRPC status. */
  | 'refused'
  | 'response_too_large'
  | 'malformed_response'
  /** A `List` response that is not exactly the requested bucket, completely; it proves nothing and is not merged. */
  | 'invalid_list_response';

/** The pause after a `List` call that timed out: Goldmane continues the abandoned call and serves no other call in the meantime. */
export const listTimeoutPauseMs = 90_000;

/** The files that a connection used or would have used. Fingerprints are lower-case hex. */
export interface CertificateBundle {
  /** SHA-256 of the CA bundle file. */
  readonly caFingerprint: string;
  /** SHA-256 of the client certificate (DER). */
  readonly certFingerprint: string;
  readonly certNotAfter: Date;
}

export interface GoldmaneFailureDetails {
  kind: GoldmaneFailureKind;
  /** What happened, without a full stop. */
  what: string;
  /** What to do about it, without a full stop. */
  cure: string;
  /** Present if the certificate files were read. */
  bundle?: CertificateBundle | undefined;
  /** The code of the library or the server, for searching. */
  code?: string | undefined;
}

/** Always retryable, because the fix is outside this process. */
export type GoldmaneFailure = Failure<'goldmane', GoldmaneFailureKind> & {
  readonly bundle: CertificateBundle | undefined;
  readonly code: string | undefined;
};

export function goldmaneFailure({ kind, what, cure, bundle, code }: GoldmaneFailureDetails): GoldmaneFailure {
  const failure = new Failure({ system: 'goldmane', kind, what, cure, retryable: true });
  return Object.assign(failure, { bundle, code });
}

export function invalidListResponse(startSeconds: number, reason: string): GoldmaneFailure {
  return goldmaneFailure({
    kind: 'invalid_list_response',
    what: `Goldmane's response for the bucket of ${iso(startSeconds)} is invalid: ${reason}`,
    cure: 'The worker lists it again. If this persists, check whether this version of Goldmane is supported (3.30 to 3.32 were tested)',
  });
}

/** The response would exhaust the memory of this process, so it was not folded. */
export function tooManyRecords(startSeconds: number, records: number, limit: number): GoldmaneFailure {
  return goldmaneFailure({
    kind: 'response_too_large',
    what: `The bucket of ${iso(startSeconds)} has ${records} records; this process has enough memory for ${limit}`,
    cure: 'Find out what opens so many connections (a port scan, for example), or give the worker more memory',
  });
}

export function isInvalidListResponse(error: unknown): error is GoldmaneFailure {
  return isGoldmaneFailure(error) && error.kind === 'invalid_list_response';
}

export function isGoldmaneFailure(error: unknown): error is GoldmaneFailure {
  return isFailureOf('goldmane', error);
}

/**
 * Adds to a rejection (`certificate_refused`, `unknown_ca`) whether the bundle ever worked. Other failures are returned unchanged.
 * @param lastWorkedAt when `failure.bundle` last worked; undefined if it never did
 */
export function withBundleHistory(failure: GoldmaneFailure, lastWorkedAt: Date | undefined): GoldmaneFailure {
  const { kind, what, bundle, code } = failure;
  if (kind !== 'certificate_refused' && kind !== 'unknown_ca') return failure;
  if (lastWorkedAt)
    return goldmaneFailure({
      kind,
      what: `Stale certificate: the client certificate last worked with this bundle at ${lastWorkedAt.toISOString()}. ${what}`,
      cure: copyCertificatesAgain,
      bundle,
      code,
    });
  return goldmaneFailure({
    kind,
    what: `Wrong CA: the client certificate has never worked with this bundle. ${what}`,
    cure: `Check that both files come from the cluster of this Goldmane. ${copyCertificatesAgain}`,
    bundle,
    code,
  });
}
