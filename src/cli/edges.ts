import { Command } from 'commander';
import { queryEdges } from '../trail/query-edges.ts';
import { formatTable, formatTime, print, printJson } from './output.ts';
import { parseLimit, parseSince } from './parse-options.ts';
import { withDatabase } from './with-database.ts';

interface EdgesOptions {
  ns?: string;
  src?: string;
  dst?: string;
  newSince?: string;
  denied?: boolean;
  withoutWorkload?: boolean;
  json?: boolean;
  limit: string;
}

export function edgesCommand(): Command {
  return new Command('edges')
    .description('who talks to whom: one line per pair of namespaces and action, newest first')
    .option('--ns <namespace>', 'either end')
    .option('--src <namespace>', 'the end that talks')
    .option('--dst <namespace>', 'the end that is talked to')
    .option('--new-since <time>', 'first seen since: how long ago (24h, 7d) or a time')
    .option('--denied', 'only what policy denied')
    .option(
      '--without-workload',
      'only edges with a network set at one end, counted by version 0.1.0 or older',
    )
    .option('--limit <count>', 'at most so many', '1000')
    .option('--json', 'as JSON')
    .action(async (options: EdgesOptions) => {
      const { newSince, denied, withoutWorkload, json, limit, ...ends } = options;
      const filter = {
        ...ends,
        ...(newSince === undefined ? {} : { newSince: parseSince('--new-since', newSince, new Date()) }),
        ...(denied === undefined ? {} : { denied }),
        ...(withoutWorkload === undefined ? {} : { withoutWorkload }),
        limit: parseLimit('--limit', limit),
      };
      const found = await withDatabase((query) => queryEdges(query, { ...filter, limit: filter.limit + 1 }));
      const edges = found.slice(0, filter.limit);
      if (json === true) printJson(edges);
      else {
        print(
          formatTable(
            ['FROM', 'TO', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
            edges.map(({ srcNs, dstNs, action, firstSeen, lastSeen, flowCount }) => [
              srcNs,
              dstNs,
              action,
              formatTime(firstSeen),
              formatTime(lastSeen),
              flowCount,
            ]),
          ),
        );
        if (edges.length === 0) print('(no edge matches)');
      }
      if (found.length > edges.length)
        process.stderr.write(
          `flow-trail: there are more than ${filter.limit} edges; raise --limit to see them\n`,
        );
    });
}
