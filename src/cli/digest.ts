import { Command } from 'commander';
import { readDigestReport } from '../queries/digest.ts';
import { loadConfig } from '../config/config.ts';
import { digestText } from '../reports/digest-text.ts';
import { openDatabase } from '../trail/database.ts';
import { print, printJson } from './output.ts';

export function digestCommand(): Command {
  return new Command('digest')
    .description(
      'announces in Slack every edge that was not announced yet, now (the name of the container command that it replaces)',
    )
    .option('--dry-run', 'only print what would be announced; so does DRY_RUN=1')
    .action(async ({ dryRun }: { dryRun?: boolean }) => {
      const isDry = dryRun === true || ['1', 'true'].includes(process.env['DRY_RUN']?.trim() ?? '');
      if (isDry) return print(await previewDigest());
      const { runJob } = await import('./run-job.ts');
      printJson(await runJob('digest'));
    });
}

/** Straight from the database, whether or not a worker or Temporal is there; marks nothing. */
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
