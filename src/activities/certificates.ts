import { Context } from '@temporalio/activity';
import type { CertificateState } from '../reports/certificate-types.ts';
import { certificateReport, sentenceOf, type CertificateReport } from '../reports/certificate-report.ts';
import { assessCertificates } from '../reports/assess-certificates.ts';
import { alertMessage } from '../slack/alert-blocks.ts';
import type { SlackMessage } from '../slack/message.ts';
import type { PostResult } from '../slack/post.ts';
import { lastContacts, recordContact } from '../trail/jobs/tls-contacts.ts';
import { zonedTime } from '../time/zoned-time.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { inspectCertificatesNow } from '../queries/certificates.ts';
import type { JobDeps } from './deps.ts';
import { postAlert } from './slack.ts';

/** Inspects the certificates, evaluates the result, and records files that Goldmane accepted. @throws ApplicationFailure */
export async function inspectCertificates({
  config,
  database,
  jobMetrics,
  clusterApi,
}: JobDeps): Promise<CertificateReport> {
  const { operatorSecret, warnDays, criticalDays } = config.jobs.certificates;
  // Not the trail's clock: TLS validates certificates by the machine's clock.
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
    const verdict = assessCertificates(findings, { nowMs, warnDays, criticalDays, formatTime });
    const report = certificateReport(findings, verdict, nowMs);
    jobMetrics.certificates(verdict.state, verdict.severity, report.daysLeft);
    if (inspection.bundle && inspection.handshake === 'accepted')
      await recordContact(database.query, inspection.bundle, config.clock.now() / 1000);
    return report;
  } catch (error) {
    throw toActivityFailure(error);
  }
}

/** Posts the findings if they differ from the last posted ones. @throws ApplicationFailure */
export function postCertificateAlert(
  deps: JobDeps,
  report: CertificateReport,
): Promise<PostResult | 'unchanged'> {
  return postAlert(deps, {
    alert: 'certificates',
    state: report.findings.map(({ state }) => state).join('+'),
    detail: report.findings.map(sentenceOf).join(' '),
    message: certificateMessage(report, zonedTime(deps.config.jobs.timeZone).dated),
  });
}

/** Renders the certificates alert. Pure. */
function certificateMessage(report: CertificateReport, formatTime: (time: Date) => string): SlackMessage {
  const { state, severity, findings, notAfter, daysLeft, host, handshake, goldmaneIssuer } = report;
  const end = (which: 'client' | 'ca' | 'goldmane') => {
    const time = notAfter[which];
    return time === undefined ? 'unknown' : `${formatTime(new Date(time))} (${daysLeft[which]} days)`;
  };
  return alertMessage({
    severity,
    title: titles[state],
    paragraphs: findings.map(sentenceOf),
    fields: [
      ['Client certificate expires', end('client')],
      ['CA bundle expires', end('ca')],
      ['Goldmane’s certificate expires', end('goldmane')],
      ['Goldmane’s certificate issuer', goldmaneIssuer ?? 'unknown'],
      ['Handshake', handshake.replaceAll('_', ' ')],
      ['Operator’s Secret', report.operatorSecret],
    ],
    context: `flow-trail · certificates · ${host}`,
  });
}

const titles: Record<CertificateState, string> = {
  good: 'certificates are valid',
  unreadable: 'certificate files cannot be read',
  key_mismatch: 'private key does not match the certificate',
  not_yet_valid: 'client certificate is not valid yet',
  expired: 'client certificate has expired',
  critical: 'client certificate expires very soon',
  expiring: 'client certificate expires soon',
  ca_expired: 'CA in the bundle has expired',
  ca_critical: 'CA in the bundle expires very soon',
  ca_expiring: 'CA in the bundle expires soon',
  goldmane_expired: 'Goldmane’s certificate has expired',
  goldmane_critical: 'Goldmane’s certificate expires very soon',
  goldmane_expiring: 'Goldmane’s certificate expires soon',
  wrong_server_name: 'Goldmane’s certificate is for a different host name',
  stale_copy: 'operator rotated the certificates; our copy is stale',
  rotated: 'operator rotated the certificate; our copy still works but is stale',
  wrong_ca: 'files come from a different CA',
  refused: 'connection rejected because of the certificates',
  unsigned: 'client certificate is not signed by any CA in the bundle',
  goldmane_unreachable: 'Goldmane cannot be reached',
};
