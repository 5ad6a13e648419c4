import type { Contacts } from '../trail/contact.ts';
import type { Severity } from '../coverage/severity.ts';

/** One word for what is the matter with the certificates. */
export type CertificateState =
  | 'good'
  /** A file is missing, or holds what cannot be used. */
  | 'unreadable'
  | 'key_mismatch'
  | 'not_yet_valid'
  /** The client certificate: over, nearly, soon. */
  | 'expired'
  | 'critical'
  | 'expiring'
  /** A CA of the bundle on which a connection rests. */
  | 'ca_expired'
  | 'ca_critical'
  | 'ca_expiring'
  /** What Goldmane shows of itself. */
  | 'goldmane_expired'
  | 'goldmane_critical'
  | 'goldmane_expiring'
  | 'wrong_server_name'
  /** It worked, and no longer does: the operator rotated. */
  | 'stale_copy'
  /** It still works, but the operator has rotated. */
  | 'rotated'
  /** It never worked. */
  | 'wrong_ca'
  /** It does not work, and whether it ever did is not known. */
  | 'refused'
  /** No CA of the bundle signed it, and Goldmane could not be asked. */
  | 'unsigned'
  /** No problem of certificates. */
  | 'goldmane_unreachable';

/** Why something does not work, in the words of whoever saw it. No full stops at the ends. */
export interface Reason {
  what: string;
  cure: string;
}

/** All that was found out about the certificates at one moment. */
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
  /** Undefined: not tried, because it could only fail. */
  handshake: 'accepted' | (Reason & { kind: string }) | undefined;
  /** Undefined when it is not known. */
  contacts: Contacts | undefined;
  /** Whether the operator's Secret holds the same certificate; `note` says why that is not known. */
  operatorSecret: { name: string; isSame: boolean } | { note: string };
}

export interface JudgementOptions {
  /** The machine's time, by which TLS goes. */
  nowMs: number;
  warnDays: number;
  criticalDays: number;
  formatTime: (time: Date) => string;
}

export interface CertificateFinding extends Reason {
  state: CertificateState;
  severity: Severity;
}

/** The worst of the findings, and all of them, the worst first; `good` is alone. */
export interface CertificateVerdict {
  state: CertificateState;
  severity: Severity;
  findings: CertificateFinding[];
}
