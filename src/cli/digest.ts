import { Command } from 'commander';
import { readDigestReport, type ReadDigest } from '../queries/digest.ts';
import { loadConfig } from '../config/config.ts';
import { edgeKey } from '../reports/edge-diff.ts';
import { digestText } from './output/digest-text.ts';
import { firstDigestSince, newestDigestIds, type StoredDigest } from '../trail/jobs/digests.ts';
import { readDigestEdges } from '../trail/jobs/announcements.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';
import { formatTime, note, print, printOutput } from './output/output.ts';
import { printEdges } from './output/print-edges.ts';
import type { CommandOutput } from './schemas/index.ts';
import { parsePast } from './input/parse-time.ts';
import { isFailure } from '../failure/failure.ts';
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
      const { runAndPrint } = await import('./job-result.ts');
      await runAndPrint('digest');
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('List every edge that a digest announced, denied ones first.')
    .argument(
      '[id]',
      'the id shown below each message, or a time (yesterday, thursday): the first digest since then; default: the newest posted digest',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  flow-trail digest show thursday\n  flow-trail digest show digest/2026-11-23T08:00:00Z',
    )
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      // The parent command `digest` also has --json and would consume it.
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      const { edges, notes } = await askDigestEdges(id);
      for (const text of notes) note(text);
      if (json === true) printOutput('edges', edges);
      else printEdges(edges);
    });
}

/**
 * @param which the id of a digest, or a time: the first digest since then; by default the newest posted one
 * @throws UsageFailure, DatabaseFailure
 */
export function askDigestEdges(which: string | undefined): Promise<{ edges: EdgeRow[]; notes: string[] }> {
  return withDatabase(async (query) => {
    const ids = await newestDigestIds(query, digestsSuggested);
    const id = which ?? ids[0];
    if (id === undefined)
      throw usageFailure('no digest', 'has been posted yet; post one with "flow-trail digest"');
    const edges = await readDigestEdges(query, id);
    if (edges) return { edges, notes: which === undefined ? [`the newest posted digest is ${id}`] : [] };
    const since = timeOf(id);
    if (since === undefined) throw unknownDigest(`digest "${id}"`, 'does not exist', ids);
    const first = await firstDigestSince(query, since);
    if (!first) throw unknownDigest('no digest', `has been created since ${formatTime(since)}`, ids);
    return {
      edges: (await readDigestEdges(query, first.digestId)) ?? [],
      notes: [`${first.digestId} of ${formatTime(first.frozenAt)}: ${outcomeText(first.outcome)}`],
    };
  });
}

/** Undefined if it is not a time. */
function timeOf(text: string): Date | undefined {
  try {
    return parsePast('the time', text);
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
}

function unknownDigest(which: string, problem: string, ids: readonly string[]) {
  const cure =
    ids.length > 0
      ? `use a time (yesterday, thursday) or an id; the newest are ${ids.join(', ')}`
      : 'no digest has been posted yet';
  return usageFailure(which, `${problem}; ${cure}`);
}

function outcomeText(outcome: StoredDigest['outcome']): string {
  if (outcome === undefined) return 'not posted completely yet';
  return outcome === 'quiet' ? 'nothing was new, so nothing was posted' : 'posted';
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
