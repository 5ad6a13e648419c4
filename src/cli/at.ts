import { Command } from 'commander';
import type { Incident, IncidentRow, Unusual } from '../policy/incident.ts';
import { isSummarised } from '../policy/summarise-ports.ts';
import { readIncident } from '../queries/incident.ts';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { formatTime, note, print, printOutput, printTable } from './output/output.ts';
import { parseDays, parseNamespace } from './input/parse-options.ts';
import { parseEnd, parseSince, requireOrder } from './input/parse-time.ts';
import { displayTimeZone } from './input/time-zone.ts';
import { namespaceOf } from './input/namespace-argument.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { usageFailure } from './input/usage-error.ts';
import { withDatabase } from './connect/with-database.ts';

/** The options of `flow-trail at`, as text. */
interface AtQuestion {
  ns: string;
  from: string;
  to?: string | undefined;
  silentDays: string;
  allPorts?: boolean | undefined;
}

type AtOptions = Omit<AtQuestion, 'ns'> & { ns?: string; json?: boolean };

export function atCommand(): Command {
  return new Command('at')
    .description(
      'Reconstruct an incident: who talked to a namespace, and whom it talked to, in a given time range.',
    )
    .argument('[namespace]', 'required, unless --ns is given')
    .option('--ns <namespace>', 'the namespace')
    .requiredOption(
      '--from <time>',
      'required: start, as a time of day (03:00: its last occurrence), a date and time, or an age (90m)',
    )
    .option('--to <time>', 'end; a time of day is its first occurrence after the start; default: now')
    .option(
      '--silent-days <days>',
      'mark a peer as unusual if it was silent for more than this many days before the period',
      '7',
    )
    .option('--all-ports', 'list every port, even if a peer was contacted on more than eight')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The output lists the time ranges that were not observed, then unusual rows,
then all other rows. Flow facts are stored by the hour (UTC), so the output
covers all hours that overlap the time range and cannot order events within an
hour. Counts are stored per day: FLOWS/DAY includes the other hours of these days.

Examples:
  flow-trail at immich --from 03:00 --to 04:00
  flow-trail at vault --from "2026-01-31 22:00" --to "2026-02-01 02:00" --json`,
    )
    .action(async (argument: string | undefined, { json, ...given }: AtOptions) => {
      const ns = namespaceOf(argument, given.ns);
      if (ns === undefined)
        throw usageFailure('the namespace', 'is missing; write "flow-trail at NAMESPACE --from TIME"');
      const { incident, unknown } = await askAt({ ...given, ns });
      if (incident.rows.some(isSummarised))
        note('many ports of one peer are one line; --all-ports lists them');
      if (json === true) printOutput('at', incident);
      else printIncident(incident);
      noteUnknownNames(unknown);
    });
}

/** @throws UsageFailure, DatabaseFailure */
export async function askAt({ ns, from, to, silentDays, allPorts }: AtQuestion) {
  const namespace = parseNamespace('--ns', ns);
  const [now, timeZone] = [new Date(), displayTimeZone()];
  const start = parseSince('--from', from, now, timeZone);
  const end = to === undefined ? undefined : parseEnd('--to', to, { start, now, timeZone });
  requireOrder(['--from', '--to'], { from: start, to: end, now });
  return withDatabase(async (query) => ({
    incident: await readIncident(query, {
      namespace,
      fromSeconds: start.getTime() / 1000,
      toSeconds: (end ?? now).getTime() / 1000,
      nowSeconds: now.getTime() / 1000,
      silentDays: parseDays('--silent-days', silentDays),
      allPorts: allPorts === true,
    }),
    unknown: await findUnknownNamespaces(query, [namespace]),
  }));
}

function printIncident({ namespace, hoursFrom, hoursTo, notCovered, rows, silentDays }: Incident): void {
  const time = (iso: string) => formatTime(new Date(iso));
  print(`${namespace}, ${time(hoursFrom)} to ${time(hoursTo)} (whole hours)\n`);
  if (notCovered.length === 0) print('This time was fully observed.\n');
  else {
    print('Not fully observed:');
    printTable(
      ['FROM', 'TO', 'STATE', 'CAUSE'],
      notCovered.map(({ from, to, state, cause }) => [time(from), time(to), state, cause ?? '']),
    );
    print('');
    if (notCovered.some(({ state }) => state === 'unknown'))
      print(
        'Rows marked “first seen” may be older, because no coverage is recorded for time in the state unknown.\n',
      );
  }
  if (rows.length === 0) return print('(no flow of this namespace was observed in these hours)');
  printTable(
    ['UNUSUAL', 'DIRECTION', 'PEER', 'IDENTITY', 'PORT', 'ACTION', 'REPORTER', 'FLOWS/DAY', 'POLICY'],
    rows.map((row) => toCells(row, silentDays)),
  );
}

function toCells(row: IncidentRow, silentDays: number): string[] {
  const { unusual, direction, peer, identity, port, action, reporter, flowsOnTheseDays, policies } = row;
  return [
    unusual.map((reason) => unusualTexts(silentDays)[reason]).join(', ') || '-',
    direction,
    peer,
    identity || '-',
    port,
    action,
    reporter,
    String(flowsOnTheseDays),
    policies.length > 1 ? `${policies[0]} and ${policies.length - 1} more` : (policies[0] ?? '-'),
  ];
}

function unusualTexts(silentDays: number): Record<Unusual, string> {
  return {
    first_seen: 'first seen',
    first_denial: 'first denial',
    first_time_at_this_hour: 'first time at this hour',
    first_time_on_this_weekday: 'first time on this weekday',
    silent_before: `silent for more than ${silentDays} days before`,
  };
}
