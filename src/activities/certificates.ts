import { Context } from '@temporalio/activity';
import type { CertificateState } from '../reports/certificate-findings.ts';
import { certificateReport, sentenceOf, type CertificateReport } from '../reports/certificate-report.ts';
import { judgeCertificates } from '../reports/certificate-state.ts';
import { alertMessage } from '../slack/alert-blocks.ts';
import type { SlackMessage } from '../slack/message.ts';
import type { PostResult } from '../slack/post.ts';
import { lastContacts, recordContact } from '../trail/contact.ts';
import { zonedTime } from '../time/zoned-time.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { inspectCertificatesNow } from '../queries/certificates.ts';
import type { Deps } from '../ingest/deps.ts';
import { tellAlert } from './slack.ts';

/** Looks at the certificates and says what is the matter; what works is remembered. @throws ApplicationFailure */
export async function inspectCertificates({
  config,
  database,
  metrics,
  clusterApi,
}: Deps): Promise<CertificateReport> {
  const { operatorSecret, warnDays, criticalDays } = config.jobs.certificates;
  // Not the trail's clock: both ends of a TLS connection go by the machine's.
  const nowMs = Date.now();
  try {
    const { findings, inspection } = await inspectCertificatesNow(
      {
        target: config.goldmane,
        clock: config.clock,
        clusterApi,
        operatorSecret,
        contactsOf: (bundle) => lastContacts(database.query, bundle),
      },
      { nowMs, signal: Context.current().cancellationSignal },
    );
    const formatTime = zonedTime(config.jobs.timeZone).dated;
    const verdict = judgeCertificates(findings, { nowMs, warnDays, criticalDays, formatTime });
    const report = certificateReport(findings, verdict, nowMs);
    metrics.certificates(verdict.state, verdict.severity, report.daysLeft);
    if (inspection.bundle && inspection.handshake === 'accepted')
      await recordContact(database.query, inspection.bundle, config.clock.now() / 1000);
    return report;
  } catch (error) {
    throw toActivityFailure(error);
  }
}

/** Tells people where the findings are others than those that they know. @throws ApplicationFailure */
export function tellCertificates(deps: Deps, report: CertificateReport): Promise<PostResult | 'known'> {
  return tellAlert(deps, {
    alert: 'certificates',
    state: report.findings.map(({ state }) => state).join('+'),
    detail: report.findings.map(sentenceOf).join(' '),
    message: certificateMessage(report, zonedTime(deps.config.jobs.timeZone).dated),
  });
}

/** What people are told of the certificates. Pure. */
export function certificateMessage(
  report: CertificateReport,
  formatTime: (time: Date) => string,
): SlackMessage {
  const { state, severity, findings, notAfter, daysLeft, host, handshake, goldmaneIssuer } = report;
  const end = (which: 'client' | 'ca' | 'goldmane') => {
    const time = notAfter[which];
    return time === undefined ? 'not seen' : `${formatTime(new Date(time))} (${daysLeft[which]} days)`;
  };
  return alertMessage({
    severity,
    title: titles[state],
    paragraphs: findings.map(sentenceOf),
    fields: [
      ['Client certificate until', end('client')],
      ['CA of the bundle until', end('ca')],
      ['Goldmane’s own until', end('goldmane')],
      ['Goldmane’s is signed by', goldmaneIssuer ?? 'not seen'],
      ['Handshake', handshake.replaceAll('_', ' ')],
      ['Operator’s Secret', report.operatorSecret],
    ],
    context: `flow-trail · certificates · ${host}`,
  });
}

const titles: Record<CertificateState, string> = {
  good: 'the certificates are good',
  unreadable: 'the certificates cannot be used',
  key_mismatch: 'key and certificate do not belong together',
  not_yet_valid: 'the client certificate is not valid yet',
  expired: 'the client certificate has expired',
  critical: 'the client certificate expires very soon',
  expiring: 'the client certificate expires soon',
  ca_expired: 'a CA of the bundle has expired',
  ca_critical: 'a CA of the bundle expires very soon',
  ca_expiring: 'a CA of the bundle expires soon',
  goldmane_expired: 'Goldmane’s own certificate is out of date',
  goldmane_critical: 'Goldmane’s own certificate expires very soon',
  goldmane_expiring: 'Goldmane’s own certificate expires soon',
  wrong_server_name: 'Goldmane’s certificate has another name',
  stale_copy: 'stale copy of the certificates',
  rotated: 'the operator has rotated, and the copy is old',
  wrong_ca: 'wrong CA',
  refused: 'the certificates are refused',
  unsigned: 'no CA of the bundle signed the client certificate',
  goldmane_unreachable: 'Goldmane cannot be asked',
};
