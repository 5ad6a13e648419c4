import { Command } from 'commander';
import { inspectCertificatesNow } from '../queries/certificates.ts';
import { loadConfig } from '../config/config.ts';
import { clusterApiOf } from '../goldmane/operator-secret.ts';
import { certificateReport, sentenceOf, type CertificateReport } from '../reports/certificate-report.ts';
import { judgeCertificates } from '../reports/certificate-state.ts';
import { lastContacts } from '../trail/contact.ts';
import { isDatabaseFailure } from '../trail/database-failure.ts';
import { openDatabase } from '../trail/database.ts';
import { formatTable, formatTime, print, printJson } from './output.ts';

export function certificatesCommand(): Command {
  return new Command('certificates')
    .description(
      'whether Goldmane accepts the certificates, for how long they are good, and whether the operator has rotated; asks Goldmane itself, changes nothing',
    )
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await inspect();
      if (json === true) printJson(report);
      else print(formatReport(report));
      if (report.severity === 'critical') process.exitCode = 3;
    });
}

/** As the job does, but from here; without the database it is not known what ever worked. */
async function inspect(): Promise<CertificateReport> {
  const config = loadConfig(process.env);
  const { operatorSecret, warnDays, criticalDays } = config.jobs.certificates;
  const nowMs = Date.now();
  const database = openDatabase(config.database);
  try {
    const { findings } = await inspectCertificatesNow(
      {
        target: config.goldmane,
        clock: config.clock,
        clusterApi: clusterApiOf(process.env),
        operatorSecret,
        contactsOf: (bundle) =>
          lastContacts(database.query, bundle).catch((error: unknown) => {
            if (!isDatabaseFailure(error)) throw error;
            process.stderr.write(`flow-trail: ${error.message}\n`);
            return undefined;
          }),
      },
      { nowMs, signal: new AbortController().signal },
    );
    const verdict = judgeCertificates(findings, { nowMs, warnDays, criticalDays, formatTime });
    return certificateReport(findings, verdict, nowMs);
  } finally {
    await database.close();
  }
}

function formatReport(report: CertificateReport): string {
  const { state, severity, findings, notAfter, daysLeft, host, handshake } = report;
  const end = (which: 'client' | 'ca' | 'goldmane'): [string, string] => {
    const [time, days] = [notAfter[which], daysLeft[which]];
    return time === undefined ? ['not seen', '-'] : [formatTime(new Date(time)), String(days)];
  };
  const table = formatTable(
    ['CERTIFICATE', 'UNTIL', 'DAYS LEFT'],
    [
      ['client', ...end('client')],
      ['CA of the bundle', ...end('ca')],
      ["Goldmane's own", ...end('goldmane')],
    ],
  );
  return [
    `${severity}: ${state}`,
    ...findings.map((finding) => `  ${sentenceOf(finding)}`),
    '',
    table,
    '',
    `handshake with ${host}: ${handshake.replaceAll('_', ' ')}`,
    `Goldmane's own is signed by: ${report.goldmaneIssuer ?? 'not seen'}`,
    `operator's Secret: ${report.operatorSecret}`,
  ].join('\n');
}
