import { Command } from 'commander';
import { inspectCertificatesNow } from '../queries/certificates.ts';
import { loadConfig } from '../config/config.ts';
import { clusterApiOf } from '../goldmane/cluster-api.ts';
import { certificateReport, sentenceOf, type CertificateReport } from '../reports/certificate-report.ts';
import { assessCertificates } from '../reports/assess-certificates.ts';
import { lastContacts } from '../trail/jobs/tls-contacts.ts';
import { isDatabaseFailure } from '../trail/database/database-failure.ts';
import { openDatabase } from '../trail/database/database.ts';
import { exitCodes } from './output/exit-codes.ts';
import { formatTable, formatTime, note, print, printOutput } from './output/output.ts';

export function certificatesCommand(): Command {
  return new Command('certificates')
    .description(
      'Check whether Goldmane accepts the client certificate, when each certificate expires, and whether the operator has rotated it. Connects to Goldmane; changes nothing.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExits with 3 if the state is critical.\n\nExample:\n  flow-trail certificates')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await askCertificates();
      if (json === true) printOutput('certificates', report);
      else print(formatReport(report));
      if (report.severity === 'critical') process.exitCode = exitCodes.finding;
    });
}

/**
 * Runs the same inspection as the job. Without the database, it is unknown whether a rejected certificate ever worked.
 */
export async function askCertificates(): Promise<CertificateReport> {
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
            note(error.message);
            return undefined;
          }),
      },
      { nowMs, signal: new AbortController().signal },
    );
    const verdict = assessCertificates(findings, { nowMs, warnDays, criticalDays, formatTime });
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
    ['CERTIFICATE', 'VALID UNTIL', 'DAYS LEFT'],
    [
      ['client', ...end('client')],
      ['CA bundle', ...end('ca')],
      ['Goldmane', ...end('goldmane')],
    ],
  );
  return [
    state === severity ? severity : `${severity}: ${state}`,
    ...findings.map((finding) => `  ${sentenceOf(finding)}`),
    '',
    table,
    '',
    `handshake with ${host}: ${handshake.replaceAll('_', ' ')}`,
    `Goldmane's certificate is signed by: ${report.goldmaneIssuer ?? 'not seen'}`,
    `operator Secret: ${report.operatorSecret}`,
  ].join('\n');
}
