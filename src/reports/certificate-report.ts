import type { CertificateFindings, CertificateVerdict } from './certificate-findings.ts';

type Which = 'client' | 'ca' | 'goldmane';

/** What a look at the certificates found, as a run's result and as JSON. Times are ISO 8601. */
export interface CertificateReport extends CertificateVerdict {
  host: string;
  /** `accepted`, `not tried`, or the kind of the failure. */
  handshake: string;
  /** When each is over; absent where it could not be seen. The CA is the soonest of those that matter. */
  notAfter: Partial<Record<Which, string>>;
  /** Days until then, to a tenth. */
  daysLeft: Partial<Record<Which, number>>;
  /** Who signed what Goldmane shows. */
  goldmaneIssuer?: string;
  /** `same`, `differs`, or why it is not known. */
  operatorSecret: string;
}

const dayMs = 86_400_000;

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

/** One line that says what is so and what cures it, for a failed run and its log. */
export function sentenceOf({ what, cure }: { what: string; cure: string }): string {
  return what === '' ? `${cure}.` : `${what}. ${cure}.`;
}
