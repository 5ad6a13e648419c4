import { Command } from 'commander';
import { readDigestReport } from '../queries/digest.ts';
import { loadConfig } from '../config/config.ts';
import { digestText } from '../reports/digest-text.ts';
import { openDatabase } from '../trail/database.ts';
import { newestDigestIds } from '../trail/digests.ts';
import { readDigestEdges } from '../trail/announcements.ts';
import type { EdgeRow } from '../trail/query-edges.ts';
import { print, printAnswer, printJson } from './output.ts';
import { printEdges } from './print-edges.ts';
import { usageFailure } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

const digestsSuggested = 5;

export function digestCommand(): Command {
  return new Command('digest')
    .description(
      'Announce every edge in Slack that no digest has announced yet. The name is the container command of goldmane-edge-aggregator.',
    )
    .option('--dry-run', 'print what would be announced, post and record nothing; the same as DRY_RUN=1')
    .addHelpText(
      'after',
      `
Without --dry-run the job runs in the worker: the command waits for it and prints its result as JSON.

Examples:
  flow-trail digest --dry-run
  flow-trail digest
  flow-trail digest show`,
    )
    .addCommand(showCommand())
    .action(async ({ dryRun }: { dryRun?: boolean }) => {
      const isDry = dryRun === true || ['1', 'true'].includes(process.env['DRY_RUN']?.trim() ?? '');
      if (isDry) return print(await previewDigest());
      const { runJob } = await import('./run-job.ts');
      printJson(await runJob('digest'));
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('List every edge that a digest announced, denied ones first.')
    .argument('[id]', 'the id shown below each message; default: the newest posted digest')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  flow-trail digest show digest/2026-11-23T08:00:00Z')
    .action(async (id: string | undefined, { json }: { json?: boolean }) => {
      const edges = await askDigestEdges(id);
      if (json === true) printAnswer('edges', edges);
      else printEdges(edges);
    });
}

/** @param id of the digest; by default the newest posted one. @throws UsageFailure, DatabaseFailure */
export function askDigestEdges(id: string | undefined): Promise<EdgeRow[]> {
  return withDatabase(async (query) => {
    const ids = await newestDigestIds(query, digestsSuggested);
    const digestId = id ?? ids[0];
    if (digestId === undefined)
      throw usageFailure(
        'digest show',
        'has nothing to show: no digest has been posted yet; run "flow-trail digest"',
      );
    const found = await readDigestEdges(query, digestId);
    if (!found)
      throw usageFailure(
        'ID',
        `"${digestId}" is not the id of a digest; the newest ids are ${ids.join(', ') || 'none'}`,
      );
    return found;
  });
}

/** Reads only the database: needs neither a worker nor Temporal, and changes nothing. */
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
