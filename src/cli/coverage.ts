import { Command } from 'commander';
import { readCoverage } from '../trail/coverage.ts';
import { formatTable, formatTime, print, printJson } from './output.ts';
import { parseSince } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

export function coverageCommand(): Command {
  return new Command('coverage')
    .description('of which time the trail knows everything, and of which nothing; gaps with their cause')
    .option('--since <time>', 'from how long ago (24h, 7d) or a time', '7d')
    .option('--gaps', 'only the gaps')
    .option('--json', 'as JSON')
    .action(async ({ since, gaps, json }: { since: string; gaps?: boolean; json?: boolean }) => {
      const from = parseSince('--since', since, new Date());
      const all = await withDatabase((query) =>
        readCoverage(query, from.getTime() / 1000, Date.now() / 1000),
      );
      const stretches = all
        .filter(({ state }) => gaps !== true || state === 'gap')
        .map(({ fromSeconds, toSeconds, state, cause }) => ({
          from: new Date(fromSeconds * 1000),
          to: new Date(toSeconds * 1000),
          state,
          ...(cause === undefined ? {} : { cause }),
        }));
      if (json === true) return printJson(stretches);
      print(
        formatTable(
          ['FROM', 'TO', 'STATE', 'CAUSE'],
          stretches.map(({ from: start, to, state, cause }) => [
            formatTime(start),
            formatTime(to),
            state,
            cause ?? '',
          ]),
        ),
      );
      if (all.length === 0) print('(the trail has not begun: nothing was merged yet)');
      print(
        '\nfinal: asked at rest and once more before Goldmane forgot · settled: asked at rest · streamed: seen live, one record in\ntwenty may be missing · gap: nothing is known · pending: too young to tell. It speaks of what Goldmane had, not of\nnodes that never reached it.',
      );
    });
}
