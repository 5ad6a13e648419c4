import { Command } from 'commander';
import { readEdgeDiff } from '../queries/edge-diff.ts';
import type { EdgeDiff } from '../reports/edge-diff.ts';
import type { EdgeRow } from '../trail/query-edges.ts';
import { formatTime, print, printOutput, printTable } from './output.ts';
import { parseDays } from './parse-options.ts';
import { parseEnd, parseSince, requireOrder } from './parse-time.ts';
import { printEdges } from './print-edges.ts';
import { displayTimeZone } from './time-zone.ts';
import { withDatabase } from './with-database.ts';

/** The options of `flow-trail diff`, as text. */
interface DiffQuestion {
  from: string;
  to?: string | undefined;
  silentDays: string;
}

export function diffCommand(): Command {
  return new Command('diff')
    .description(
      'Show which edges appeared, fell silent, or changed between allowed and denied between two times.',
    )
    .requiredOption('--from <time>', 'required: start, as a date, a date and time, or an age (7d)')
    .option('--to <time>', 'end; default: now')
    .option('--silent-days <days>', 'days without a flow before the end after which an edge is silent', '7')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The output begins with the time ranges that were not observed: an edge may seem
silent only because of such a gap.

The output contains edges between namespaces only. For endpoints outside the
cluster, use flow-trail edges --external --new-since; for changes within hours,
use flow-trail at.

Examples:
  flow-trail diff --from 7d
  flow-trail diff --from 2026-01-01 --to 2026-02-01 --silent-days 14`,
    )
    .action(async ({ json, ...question }: DiffQuestion & { json?: boolean }) => {
      const diff = await askDiff(question);
      if (json === true) printOutput('diff', diff);
      else printDiff(diff);
    });
}

/** @throws UsageFailure, DatabaseFailure */
export function askDiff({ from: fromText, to: toText, silentDays }: DiffQuestion): Promise<EdgeDiff> {
  const [now, timeZone] = [new Date(), displayTimeZone()];
  const from = parseSince('--from', fromText, now, timeZone);
  const to = toText === undefined ? undefined : parseEnd('--to', toText, { start: from, now, timeZone });
  requireOrder(['--from', '--to'], { from, to, now });
  const question = { from, to: to ?? now, silentDays: parseDays('--silent-days', silentDays) };
  return withDatabase((query) => readEdgeDiff(query, question));
}

function printDiff(diff: EdgeDiff): void {
  print(`${formatTime(diff.from)} to ${formatTime(diff.to)}`);
  if (diff.notCovered.length > 0) {
    print('\nNot fully observed:');
    printTable(
      ['FROM', 'TO', 'STATE', 'CAUSE'],
      diff.notCovered.map(({ from, to, state, cause }) => [
        formatTime(new Date(from)),
        formatTime(new Date(to)),
        state,
        cause ?? '',
      ]),
    );
  }
  printGroup('Allowed before, denied now', diff.allowedToDenied);
  printGroup('Denied before, allowed now', diff.deniedToAllowed);
  printGroup('Appeared', diff.appeared);
  printGroup(`Silent for the last ${diff.silentDays} days`, diff.fellSilent);
  print(`\n${diff.appeared.length} appeared, ${diff.fellSilent.length} fell silent`);
}

function printGroup(title: string, edges: readonly EdgeRow[]): void {
  if (edges.length === 0) return;
  print(`\n${title}:`);
  printEdges(edges);
}
