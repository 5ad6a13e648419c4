export type GoldmaneFailureKind =
  /** Our certificate, its key or the CA bundle: missing, not to be read, or not belonging together. */
  | 'certificate_unreadable'
  /** Our certificate's time is over, or has not begun. */
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
  /** The peer closed, reset, went away, or is no Goldmane. */
  | 'unavailable'
  /** Goldmane answered with a gRPC status that says no. */
  | 'refused'
  | 'answer_too_large'
  | 'malformed_answer';

/** Which files a connection was, or would have been, made with. Fingerprints are lower-case hex. */
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
  bundle?: CertificateBundle | undefined;
  /** The code that a library or the server gave it, for those who know it by that. */
  code?: string | undefined;
}

/**
 * Why Goldmane could not be asked, and what cures it; `message` says both. Always worth another try: whatever it is,
 * it is put right from outside. It never carries the content of a file.
 */
export class GoldmaneFailure extends Error {
  readonly kind: GoldmaneFailureKind;
  readonly what: string;
  readonly cure: string;
  readonly retryable = true;
  /** Present from the moment that the certificate files were read. */
  readonly bundle: CertificateBundle | undefined;
  readonly code: string | undefined;

  constructor({ kind, what, cure, bundle, code }: GoldmaneFailureDetails) {
    super(`${what}. ${cure}.`);
    this.name = 'GoldmaneFailure';
    this.kind = kind;
    this.what = what;
    this.cure = cure;
    this.bundle = bundle;
    this.code = code;
  }
}

/**
 * Says of a refusal (`certificate_refused`, `unknown_ca`) what only somebody with a memory can know: whether the
 * bundle ever worked. Other failures are returned as they are.
 * @param lastWorkedAt when `failure.bundle` worked last; undefined if it never did
 */
export function withBundleHistory(failure: GoldmaneFailure, lastWorkedAt: Date | undefined): GoldmaneFailure {
  const { kind, what, bundle, code } = failure;
  if (kind !== 'certificate_refused' && kind !== 'unknown_ca') return failure;
  if (lastWorkedAt)
    return new GoldmaneFailure({
      kind,
      what: `Stale certificate: it worked with this bundle until ${lastWorkedAt.toISOString()}. ${what}`,
      cure: RESYNC,
      bundle,
      code,
    });
  return new GoldmaneFailure({
    kind,
    what: `Wrong CA: it never worked with this bundle. ${what}`,
    cure: `Check that both files come from the cluster of this Goldmane. ${RESYNC}`,
    bundle,
    code,
  });
}

/** The runbook's cure for whatever is wrong with the copies of the operator's certificates. */
export const RESYNC =
  'Re-sync the copies: tls.crt and tls.key from the secret whisker-backend-key-pair, the bundle from the config map ' +
  'tigera-ca-bundle, both in calico-system (re-apply what makes the copies, such as stacks/goldmane-edge-aggregator); they are read anew at the next try';
