import type { Contacts } from '../trail/jobs/tls-contacts.ts';
import type { Severity } from '../coverage/severity.ts';

/** The state of the certificates, as a metric label and in JSON. */
export type CertificateState =
  | 'good'
  /** A file is missing or cannot be parsed. */
  | 'unreadable'
  | 'key_mismatch'
  | 'not_yet_valid'
  /** The client certificate has expired, or expires within CERTIFICATE_CRITICAL_DAYS or CERTIFICATE_WARN_DAYS. */
  | 'expired'
  | 'critical'
  | 'expiring'
  /** A CA of the bundle that the connection depends on. */
  | 'ca_expired'
  | 'ca_critical'
  | 'ca_expiring'
  /** Goldmane's own certificate. */
  | 'goldmane_expired'
  | 'goldmane_critical'
  | 'goldmane_expiring'
  | 'wrong_server_name'
  /** Goldmane accepted these files before and no longer does: the operator rotated. */
  | 'stale_copy'
  /** Goldmane still accepts the copy, but the operator has rotated the original. */
  | 'rotated'
  /** These files have never worked. */
  | 'wrong_ca'
  /** Rejected, and it is unknown whether the files ever worked. */
  | 'refused'
  /** Not signed by any CA of the bundle, and Goldmane cannot be reached. */
  | 'unsigned'
  /** Not a certificate problem. */
  | 'goldmane_unreachable';

/** What is wrong and how to fix it, as sentences without the final full stop. */
export interface Reason {
  what: string;
  cure: string;
}

/** The result of one inspection of the certificates. */
export interface CertificateFindings {
  host: string;
  certPath: string;
  keyPath: string;
  caPath: string;
  unusable: Reason | undefined;
  client:
    | { notBefore: Date; notAfter: Date; keyMatches: boolean; isSignedByBundle: boolean | undefined }
    | undefined;
  authority: { subject: string; notAfter: Date } | undefined;
  server: { issuer: string; notAfter: Date } | undefined;
  /** Undefined if not attempted because it could only fail. */
  handshake: 'accepted' | (Reason & { kind: string }) | undefined;
  /** Undefined when the database could not be queried. */
  contacts: Contacts | undefined;
  /** Whether the operator's Secret contains the same certificate; `note` says why this is unknown. */
  operatorSecret: { name: string; isSame: boolean } | { note: string };
}

export interface AssessmentOptions {
  /** The machine's time, which TLS validates against. */
  nowMs: number;
  warnDays: number;
  criticalDays: number;
  formatTime: (time: Date) => string;
}

export interface CertificateFinding extends Reason {
  state: CertificateState;
  severity: Severity;
}

/** All findings, worst first; `state` and `severity` are those of the worst. `good` is the only finding when present. */
export interface CertificateVerdict {
  state: CertificateState;
  severity: Severity;
  findings: CertificateFinding[];
}
