import { Command } from 'commander';
import { edgeMatrix } from '../reports/edge-matrix.ts';
import { allEdges, queryEdges } from '../trail/query-edges.ts';
import { print, printOutput, printTable } from './output.ts';
import { withDatabase } from './with-database.ts';

/** Of the destinations of one row. */
const namesShown = 100;

export function matrixCommand(): Command {
  return new Command('matrix')
    .description(
      'Show all edges as an adjacency list: one line per source namespace and action, with its destinations.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  flow-trail matrix
  flow-trail matrix --json | jq '.[] | select(.denied != [])'`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const rows = edgeMatrix(await withDatabase((query) => queryEdges(query, { limit: allEdges })));
      if (json === true) return printOutput('matrix', rows);
      printTable(
        ['FROM', 'ACTION', 'TO'],
        rows.flatMap(({ srcNs, allowed, denied, other }) =>
          Object.entries({ allow: allowed, deny: denied, other })
            .filter(([, destinations]) => destinations.length > 0)
            .map(([action, destinations]) => [srcNs, action, shortList(destinations)]),
        ),
      );
      if (rows.length === 0) print('(there are no edges yet)');
    });
}

function shortList(names: readonly string[]): string {
  const left = names.length - namesShown;
  return [...names.slice(0, namesShown), ...(left > 0 ? [`and ${left} more (--json prints all)`] : [])].join(
    ', ',
  );
}
