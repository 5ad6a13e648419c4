import { Command } from 'commander';
import type { Client } from '@temporalio/client';
import { loadConfig } from '../config/config.ts';
import { readHealth } from '../queries/health.ts';
import { healthLines } from '../reports/health/assess-health.ts';
import type { HealthReport, HealthStatus } from '../reports/health/report.ts';
import { isFailure } from '../failure/failure.ts';
import { formatTime, print, printOutput } from './output/output.ts';
import { withDatabaseOf } from './connect/with-database.ts';
import { withTemporal } from './connect/with-temporal.ts';

/** Exit codes of the cluster health check, which differ from those of other commands. */
const exitCodeOf: Record<HealthStatus, number> = { PASS: 0, WARN: 1, FAIL: 2 };

interface HealthOptions {
  quiet?: boolean;
  json?: boolean;
}

export function healthCommand(): Command {
  return new Command('health')
    .description(
      'Check whether recording and reporting work: database, supervisor, schedules, newest bucket, coverage of the last day, digest, certificates, export of flow logs. Shows the cause of each problem and what to do.',
    )
    .option('--quiet', 'print only checks that did not pass')
    .option('--json', 'print JSON, with the key goldmane_aggregator')
    .addHelpText(
      'after',
      `
Exits with 0 (PASS), 1 (WARN) or 2 (FAIL; also when a setting is wrong).
The certificate check shows the last result of the job certificates; run
flow-trail certificates to check them now.

Examples:
  flow-trail health
  flow-trail health --json`,
    )
    .action(async ({ quiet, json }: HealthOptions) => {
      const { status, detail, checks } = await (json === true ? askHealth() : checkHealth());
      if (json === true) printOutput('health', { goldmane_aggregator: { status, detail, checks } });
      else {
        const shown = quiet === true ? checks.filter((check) => check.status !== 'PASS') : checks;
        if (shown.length > 0) print(healthLines({ checks: shown }).join('\n'));
      }
      process.exitCode = exitCodeOf[status];
    });
}

/** A wrong setting is part of the report, so that scripts always get JSON. */
export async function askHealth(): Promise<HealthReport> {
  try {
    return await checkHealth();
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { status: 'FAIL', detail: error.message, checks: [] };
  }
}

function checkHealth(): Promise<HealthReport> {
  const config = loadConfig(process.env);
  const askTemporal = <Answer>(ask: (client: Client) => Promise<Answer>) =>
    withTemporal(({ client, inTime }) => inTime(() => ask(client)));
  return withDatabaseOf(
    config.database,
    ({ query }) => readHealth({ config, query, askTemporal, formatTime }),
    // The report contains it.
    { isReadOnly: true, cluster: '' },
  );
}
