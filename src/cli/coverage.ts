import { Command } from 'commander';
import { counted } from '../text/counted.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import { formatTime, print, printOutput, printTable } from './output/output.ts';
import { parseEnd, parseSince, requireOrder } from './input/parse-time.ts';
import { displayTimeZone } from './input/time-zone.ts';
import { withDatabase } from './connect/with-database.ts';

/** The options of `flow-trail coverage`, as text. */
interface CoverageQuestion {
  since: string;
  until?: string | undefined;
  gaps?: boolean | undefined;
}

export function coverageCommand(): Command {
  return new Command('coverage')
    .description('Show fully observed time ranges and gaps, with causes.')
    .option('--since <time>', 'start, as an age (24h, 7d) or a time (22:00, yesterday)', '7d')
    .option('--until <time>', 'end; a time of day is its first occurrence after the start; default: now')
    .option('--gaps', 'only gaps and incomplete time')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
States:
  final       read six minutes after its end, and again 55 minutes after its start
  settled     read six minutes after its end
  streamed    read only from the live stream; about one record in twenty may be missing
  gap         not observed
  incomplete  read, but some records were rejected; CAUSE shows how many
  pending     too recent to be settled
Coverage describes the flows that Goldmane received. Flows that nodes never
reported to Goldmane are not included.

Examples:
  flow-trail coverage --since 7d --gaps
  flow-trail coverage --since 02:00 --until 02:30
                          whether flows were recorded at 02:13
  flow-trail coverage --since "2026-01-31 08:00" --json`,
    )
    .action(async ({ json, ...question }: CoverageQuestion & { json?: boolean }) => {
      const { ranges, since, until, began } = await askCoverage(question);
      if (json === true) return printOutput('coverage', ranges);
      printTable(
        ['FROM', 'TO', 'STATE', 'CAUSE'],
        ranges.map(({ from: start, to, state, cause, refusedRecords }) => [
          formatTime(start),
          formatTime(to),
          state,
          cause ?? (refusedRecords === undefined ? '' : `${counted(refusedRecords, 'record')} rejected`),
        ]),
      );
      if (began === undefined) return print('(the trail is empty: nothing has been merged yet)');
      if (ranges.length === 0 && began < until) print('(no gaps)');
      if (began > since) print(`(the trail begins at ${formatTime(began)}; earlier time was not observed)`);
    });
}

/** @throws UsageFailure, DatabaseFailure */
export async function askCoverage({ since, until, gaps }: CoverageQuestion) {
  const [now, timeZone] = [new Date(), displayTimeZone()];
  const from = parseSince('--since', since, now, timeZone);
  const end = until === undefined ? undefined : parseEnd('--until', until, { start: from, now, timeZone });
  requireOrder(['--since', '--until'], { from, to: end, now });
  const endSeconds = (end ?? now).getTime() / 1000;
  // Until now: the answer shows when the trail began, even if that is after the end of the period.
  const all = await withDatabase((query) => readCoverage(query, from.getTime() / 1000, now.getTime() / 1000));
  const isShown = (state: string) => gaps !== true || state === 'gap' || state === 'incomplete';
  const ranges = all
    .filter(({ fromSeconds, state }) => fromSeconds < endSeconds && isShown(state))
    .map(({ fromSeconds, toSeconds, ...rest }) => ({
      from: new Date(fromSeconds * 1000),
      to: new Date(Math.min(toSeconds, endSeconds) * 1000),
      ...rest,
    }));
  const [first] = all;
  return { ranges, since: from, until: end ?? now, began: first && new Date(first.fromSeconds * 1000) };
}
