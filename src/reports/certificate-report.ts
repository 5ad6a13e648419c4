import { dayMs } from '../time/units.ts';
import type { CertificateFindings, CertificateVerdict } from './certificate-types.ts';

type Which = 'client' | 'ca' | 'goldmane';

/** Result of the certificates job, also printed as JSON. Times are ISO 8601. */
export interface CertificateReport extends CertificateVerdict {
  host: string;
  /** `accepted`, `not tried`, or the failure's kind. */
  handshake: string;
  /** Expiry times; absent if unreadable. `ca` is the earliest expiry among the CAs the connection depends on. */
  notAfter: Partial<Record<Which, string>>;
  /** Days until expiry, rounded down to a tenth. */
  daysLeft: Partial<Record<Which, number>>;
  /** Issuer of Goldmane's certificate. */
  goldmaneIssuer?: string;
  /** `same`, `differs`, or why it is unknown. */
  operatorSecret: string;
}

/** Pure. */
export function certificateReport(
  { host, handshake, client, authority, server, operatorSecret }: CertificateFindings,
  verdict: CertificateVerdict,
  nowMs: number,
): CertificateReport {
  const report: CertificateReport = {
    ...verdict,
    host,
    handshake: typeof handshake === 'object' ? handshake.kind : (handshake ?? 'not tried'),
    notAfter: {},
    daysLeft: {},
    ...(server ? { goldmaneIssuer: server.issuer } : {}),
    operatorSecret:
      'note' in operatorSecret ? operatorSecret.note : operatorSecret.isSame ? 'same' : 'differs',
  };
  const ends = { client: client?.notAfter, ca: authority?.notAfter, goldmane: server?.notAfter };
  for (const which of ['client', 'ca', 'goldmane'] as const) {
    const end = ends[which];
    if (!end) continue;
    report.notAfter[which] = end.toISOString();
    report.daysLeft[which] = Math.floor(((end.getTime() - nowMs) / dayMs) * 10) / 10;
  }
  return report;
}

/** The finding and what to do on one line, for a failed run and its log. */
export function sentenceOf({ what, cure }: { what: string; cure: string }): string {
  return what === '' ? `${cure}.` : `${what}. ${cure}.`;
}
