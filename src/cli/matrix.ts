import { Command } from 'commander';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { edgeMatrix } from '../reports/edge-matrix.ts';
import { allEdges, queryEdges } from '../trail/edges/query-edges.ts';
import { print, printOutput, printTable } from './output/output.ts';
import { parseNamespace } from './input/parse-options.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';

/** Of the destinations of one row. */
const namesShown = 100;

export function matrixCommand(): Command {
  return new Command('matrix')
    .description(
      'Show all edges as an adjacency list: one line per source namespace and action, with its destinations.',
    )
    .option('--ns <namespace>', 'only edges of this namespace, as source or destination')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  flow-trail matrix
  flow-trail matrix --ns immich
  flow-trail matrix --json | jq '.[] | select(.denied != [])'`,
    )
    .action(async ({ json, ns }: { json?: boolean; ns?: string }) => {
      const { rows, unknown } = await askMatrix(ns);
      noteUnknownNames(unknown);
      if (json === true) return printOutput('matrix', rows);
      printTable(
        ['FROM', 'ACTION', 'TO'],
        rows.flatMap(({ srcNs, allowed, denied, other }) =>
          Object.entries({ allow: allowed, deny: denied, other })
            .filter(([, destinations]) => destinations.length > 0)
            .map(([action, destinations]) => [srcNs, action, shortList(destinations)]),
        ),
      );
      if (rows.length === 0) print(ns === undefined ? '(there are no edges yet)' : '(nothing matches)');
    });
}

/** @param ns only edges with this source or destination. @throws UsageFailure, DatabaseFailure */
export function askMatrix(ns: string | undefined) {
  const filter = ns === undefined ? {} : { ns: parseNamespace('--ns', ns) };
  return withDatabase(async (query) => ({
    rows: edgeMatrix(await queryEdges(query, { ...filter, limit: allEdges })),
    unknown: await findUnknownNamespaces(query, [ns]),
  }));
}

function shortList(names: readonly string[]): string {
  const left = names.length - namesShown;
  return [...names.slice(0, namesShown), ...(left > 0 ? [`and ${left} more (--json prints all)`] : [])].join(
    ', ',
  );
}
