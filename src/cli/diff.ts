import { Command } from 'commander';
import type { NewPorts } from '../policy/new-ports.ts';
import { readDiff, type Diff } from '../queries/diff.ts';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { counted } from '../text/counted.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';
import { formatTime, print, printOutput, printTable } from './output/output.ts';
import { namespaceOf } from './input/namespace-argument.ts';
import { parseDays, parseNamespace } from './input/parse-options.ts';
import { parseEnd, parseSince, requireOrder } from './input/parse-time.ts';
import { printEdges } from './output/print-edges.ts';
import { displayTimeZone } from './input/time-zone.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';

/** More ports of a pair than this are counted: a port scan would fill the screen. */
const mostPorts = 8;

/** The options of `flow-trail diff`, as text. */
interface DiffQuestion {
  from: string;
  to?: string | undefined;
  silentDays: string;
  ns?: string | undefined;
}

export function diffCommand(): Command {
  return new Command('diff')
    .description(
      'Show what changed between two times: edges that appeared, fell silent, or changed between allowed and denied; new ports; new connections with endpoints outside the cluster.',
    )
    .argument('[namespace]', 'same as --ns')
    .option('--ns <namespace>', 'only changes of this namespace, as source or destination')
    .requiredOption('--from <time>', 'required: start, as a date, a date and time, or an age (7d)')
    .option('--to <time>', 'end; default: now')
    .option('--silent-days <days>', 'days without a flow before the end after which an edge is silent', '7')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The output begins with the time ranges that were not observed: an edge may seem
silent only because of such a gap.

New ports are those of pairs of namespaces that already had an edge, and those
of endpoints outside the cluster. They are listed when their time is settled,
after about six minutes. For changes within hours, use flow-trail at.

Examples:
  flow-trail diff --from 7d                 this week
  flow-trail diff immich --from "last tue"   what changed for immich
  flow-trail diff --from 14d --to 7d         last week
  flow-trail diff --from 2026-01-01 --to 2026-02-01 --silent-days 14`,
    )
    .action(async (argument: string | undefined, given: DiffQuestion & { json?: boolean }) => {
      const { json, ...question } = { ...given, ns: namespaceOf(argument, given.ns) };
      const { diff, unknown } = await askDiff(question);
      if (json === true) printOutput('diff', diff);
      else printDiff(diff);
      noteUnknownNames(unknown);
    });
}

/** @throws UsageFailure, DatabaseFailure */
export function askDiff({ from: fromText, to: toText, silentDays, ns }: DiffQuestion) {
  const namespace = ns === undefined ? undefined : parseNamespace('--ns', ns);
  const [now, timeZone] = [new Date(), displayTimeZone()];
  const from = parseSince('--from', fromText, now, timeZone);
  const to = toText === undefined ? undefined : parseEnd('--to', toText, { start: from, now, timeZone });
  requireOrder(['--from', '--to'], { from, to, now });
  const question = {
    from,
    to: to ?? now,
    silentDays: parseDays('--silent-days', silentDays),
    ...(namespace === undefined ? {} : { namespace }),
  };
  return withDatabase(async (query) => ({
    diff: await readDiff(query, question),
    unknown: await findUnknownNamespaces(query, [namespace]),
  }));
}

function printDiff(diff: Diff): void {
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
  printNewPorts(diff.newPorts);
  print(
    `\n${diff.appeared.length} appeared, ${diff.fellSilent.length} fell silent, ${counted(diff.newPorts.length, 'pair')} with new ports`,
  );
}

function printNewPorts(newPorts: readonly NewPorts[]): void {
  if (newPorts.length === 0) return;
  print('\nNew ports, including those of endpoints outside the cluster:');
  printTable(
    ['FROM', 'TO', 'PORTS', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
    newPorts.map(({ src, dst, ports, action, firstSeen, lastSeen, flowCount }) => [
      src,
      dst,
      ports.length > mostPorts ? `${ports.length} ports` : ports.join(', '),
      action,
      formatTime(firstSeen),
      formatTime(lastSeen),
      flowCount,
    ]),
  );
}

function printGroup(title: string, edges: readonly EdgeRow[]): void {
  if (edges.length === 0) return;
  print(`\n${title}:`);
  printEdges(edges);
}
