import { Command } from 'commander';
import { readDigestReport, type ReadDigest } from '../queries/digest.ts';
import { loadConfig } from '../config/config.ts';
import { edgeKey } from '../reports/edge-diff.ts';
import { digestText } from '../reports/digest-text.ts';
import { newestDigestIds } from '../trail/jobs/digests.ts';
import { readDigestEdges } from '../trail/jobs/announcements.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';
import { print, printOutput } from './output/output.ts';
import { printEdges } from './output/print-edges.ts';
import type { CommandOutput } from './schemas/index.ts';
import { usageFailure } from './input/usage-error.ts';
import { withDatabase, withDatabaseOf } from './connect/with-database.ts';

const digestsSuggested = 5;

export function digestCommand(): Command {
  return new Command('digest')
    .description(
      'Announce all edges in Slack that have not been announced yet. Compatible with the container command digest of goldmane-edge-aggregator.',
    )
    .option('--dry-run', 'print what would be announced; post and record nothing (same as DRY_RUN=1)')
    .option('--json', 'print JSON; without --dry-run, the output is always JSON')
    .addHelpText(
      'after',
      `
Without --dry-run, the worker runs the job; the command waits for it and prints
its result as JSON.

Examples:
  flow-trail digest --dry-run
  flow-trail digest --dry-run --json
  flow-trail digest
  flow-trail digest show`,
    )
    .addCommand(showCommand())
    .action(async ({ dryRun, json }: { dryRun?: boolean; json?: boolean }) => {
      const isDry = dryRun === true || ['1', 'true'].includes(process.env['DRY_RUN']?.trim() ?? '');
      if (isDry) {
        const preview = await readPreview();
        if (json === true) printOutput('digest-preview', previewAnswer(preview));
        else print(digestText(preview.report));
        return;
      }
      const { runAndPrint } = await import('./output/job-result.ts');
      await runAndPrint('digest');
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('List every edge that a digest announced, denied ones first.')
    .argument('[id]', 'the id shown below each message; default: the newest posted digest')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  flow-trail digest show digest/2026-11-23T08:00:00Z')
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      // The parent command `digest` also has --json and would consume it.
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      const edges = await askDigestEdges(id);
      if (json === true) printOutput('edges', edges);
      else printEdges(edges);
    });
}

/** @param id of the digest; by default the newest posted one. @throws UsageFailure, DatabaseFailure */
export function askDigestEdges(id: string | undefined): Promise<EdgeRow[]> {
  return withDatabase(async (query) => {
    const ids = await newestDigestIds(query, digestsSuggested);
    const digestId = id ?? ids[0];
    if (digestId === undefined)
      throw usageFailure('no digest', 'has been posted yet; post one with "flow-trail digest"');
    const found = await readDigestEdges(query, digestId);
    if (!found)
      throw usageFailure(
        `digest "${digestId}"`,
        ids.length > 0
          ? `does not exist; the newest ids are ${ids.join(', ')}`
          : 'does not exist; no digest has been posted yet',
      );
    return found;
  });
}

/** What the next digest would announce. @throws ConfigFailure, DatabaseFailure */
export async function askDigestPreview(): Promise<CommandOutput<'digest-preview'>> {
  return previewAnswer(await readPreview());
}

/** Reads only the database: needs neither a worker nor Temporal, and records nothing. */
async function readPreview(): Promise<ReadDigest> {
  const config = loadConfig(process.env);
  return withDatabaseOf(config.database, ({ query }) => readDigestReport(query, config, 'a dry run'), {
    isReadOnly: true,
  });
}

function previewAnswer({ report, from, to, edges, gaps }: ReadDigest): CommandOutput<'digest-preview'> {
  const announced = new Map(
    report.groups.flatMap((group) => group.edges).map((edge) => [edgeKey(edge), edge] as const),
  );
  return {
    from,
    to,
    edges: edges
      .map((edge) => ({ ...edge, isLate: announced.get(edgeKey(edge))?.isLate === true }))
      .toSorted((a, b) => Number(b.action === 'deny') - Number(a.action === 'deny')),
    takenAsKnown: report.takenAsKnown,
    gaps: gaps.map(({ fromSeconds, toSeconds, cause }) => ({
      from: new Date(fromSeconds * 1000),
      to: new Date(toSeconds * 1000),
      ...(cause === undefined ? {} : { cause }),
    })),
  };
}
