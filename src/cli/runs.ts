import { Command, Option } from 'commander';
import { jobNames } from '../config/temporal-names.ts';
import type { JobRun } from '../temporal/runs.ts';
import { spanText } from '../time/zoned-time.ts';
import { formatTime, print, printOutput, printTable } from './output/output.ts';
import { parseLimit } from './input/parse-options.ts';
import type { RunWithFailure } from './read-runs.ts';

interface RunsOptions {
  job?: JobRun['job'];
  limit: string;
  json?: boolean;
}

export function runsCommand(): Command {
  return new Command('runs')
    .description('Show recent runs of the jobs from Temporal, with outcome and failure, newest first.')
    .addOption(new Option('--job <job>', 'only this job').choices([...jobNames, 'allowlist']))
    .option('--limit <count>', 'maximum number of runs', '20')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Temporal keeps finished runs for the retention period of its namespace.

Examples:
  flow-trail runs
  flow-trail runs --job digest --limit 5`,
    )
    .action(async ({ job, limit, json }: RunsOptions) => {
      const count = parseLimit('--limit', limit);
      const { readRuns } = await import('./read-runs.ts');
      const runs = await readRuns(count, job);
      if (json === true) return printOutput('runs', runs);
      printTable(['JOB', 'STARTED', 'TOOK', 'STATUS', 'FAILURE'], runs.map(toCells), { limit: count });
      if (runs.length === 0) print('(no job has run yet)');
    });
}

function toCells({ job, startedAt, closedAt, status, failure }: RunWithFailure): string[] {
  return [
    job,
    formatTime(startedAt),
    closedAt === undefined ? '-' : spanText((closedAt.getTime() - startedAt.getTime()) / 1000),
    status,
    failure ?? '',
  ];
}
