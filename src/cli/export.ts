import { Command, Option } from 'commander';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { exportEdges, exportFormats, type ExportFormat } from '../reports/edge-export.ts';
import { allEdges, queryEdges } from '../trail/edges/query-edges.ts';
import { flowActions } from './facts.ts';
import { note, printFile } from './output/output.ts';
import { parseNamespace } from './input/parse-options.ts';
import { parsePast } from './input/parse-time.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';
import { writeOutput } from './output/write-output.ts';

interface ExportOptions {
  format: ExportFormat;
  ns?: string;
  newSince?: string;
  action?: string;
  output?: string;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Write all edges in a format that other tools read.')
    .addOption(new Option('--format <format>', 'output format').choices(exportFormats).default('json'))
    .option('--ns <namespace>', 'only edges from or to this namespace')
    .option(
      '--new-since <time>',
      'first seen since, as an age (24h, 7d) or a time (22:00, "yesterday 22:00")',
    )
    .addOption(new Option('--action <action>', 'the policy decision').choices(flowActions))
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .addHelpText(
      'after',
      `
Examples:
  flow-trail export --format csv -o edges.csv
  flow-trail export --format dot --ns immich | dot -Tsvg > immich.svg
  flow-trail export --format jsonl | jq -r .srcNs | sort -u`,
    )
    .action(async ({ format, ns, newSince, action, output }: ExportOptions) => {
      const filter = {
        ...(ns === undefined ? {} : { ns: parseNamespace('--ns', ns) }),
        ...(newSince === undefined ? {} : { newSince: parsePast('--new-since', newSince) }),
        ...(action === undefined ? {} : { action }),
      };
      const { edges, unknown } = await withDatabase(async (query) => ({
        edges: await queryEdges(query, { ...filter, limit: allEdges }),
        unknown: await findUnknownNamespaces(query, [ns]),
      }));
      noteUnknownNames(unknown);
      const text = exportEdges(edges, format);
      if (output === undefined || output === '-') return printFile(text);
      await writeOutput(output, text);
      note(`wrote ${edges.length} edges to ${output}`);
    });
}
