import { Command } from 'commander';
import { readDigestReport } from '../queries/digest.ts';
import { loadConfig } from '../config/config.ts';
import { digestText } from '../reports/digest-text.ts';
import { openDatabase } from '../trail/database.ts';
import { print, printJson } from './output.ts';

export function digestCommand(): Command {
  return new Command('digest')
    .description(
      'Announce in Slack, now, every edge that no digest has announced yet. The name is that of the container command of goldmane-edge-aggregator.',
    )
    .option('--dry-run', 'print what would be announced, post and record nothing; the same as DRY_RUN=1')
    .addHelpText(
      'after',
      `
Without --dry-run the job runs in the worker: the command waits for it and prints its result as JSON.

Examples:
  flow-trail digest --dry-run
  flow-trail digest`,
    )
    .action(async ({ dryRun }: { dryRun?: boolean }) => {
      const isDry = dryRun === true || ['1', 'true'].includes(process.env['DRY_RUN']?.trim() ?? '');
      if (isDry) return print(await previewDigest());
      const { runJob } = await import('./run-job.ts');
      printJson(await runJob('digest'));
    });
}

/** Reads only the database: needs neither a worker nor Temporal, and records nothing. */
async function previewDigest(): Promise<string> {
  const config = loadConfig(process.env);
  const database = openDatabase(config.database);
  try {
    const { report } = await readDigestReport(database.query, config, 'a dry run');
    return digestText(report);
  } finally {
    await database.close();
  }
}
