import { Command } from 'commander';
import { dayMs } from '../time/units.ts';
import { note, printFile } from './output/output.ts';
import { withDatabase } from './connect/with-database.ts';
import { writeOutput } from './output/write-output.ts';

/** With more namespaces, the details would make the file too large to open. */
const maxDetailed = 300;
const weekMs = 7 * dayMs;

export function mapCommand(): Command {
  return new Command('map')
    .description('Write the map of all edges to a single HTML file that works without a server.')
    .requiredOption('-o, --output <file>', 'file to write; - for standard output')
    .addHelpText(
      'after',
      `
The file contains the current edges, coverage and readiness, and each namespace's
ports, identities and policies. The worker serves the same page with current data
at MAP_HOST:MAP_PORT.

Example:
  flow-trail map -o map.html`,
    )
    .action(async ({ output }: { output: string }) => {
      const { loadConfig } = await import('../config/config.ts');
      const { mapSilentDays, readMap, readMapChanges, readNamespaceDetail } =
        await import('../queries/map.ts');
      const { loadMapPage, selfContainedPage } = await import('../web/map-page.ts');
      const config = loadConfig(process.env);
      const page = await loadMapPage();
      const data = await withDatabase(async (query) => {
        const map = await readMap(query, {
          config,
          cluster: config.clusterName,
          temporalUiUrl: config.map.temporalUiUrl,
        });
        const nowSeconds = config.clock.now() / 1000;
        const details = [];
        for (const { name } of map.namespaces.slice(0, maxDetailed))
          details.push([name, await readNamespaceDetail(query, name, nowSeconds)] as const);
        const to = new Date(config.clock.now());
        const changes = await readMapChanges(query, {
          from: new Date(to.getTime() - weekMs),
          to,
          silentDays: mapSilentDays,
        });
        return { ...map, isFile: true, changes, details: Object.fromEntries(details) };
      });
      const html = selfContainedPage(page, data);
      if (output === '-') return printFile(html);
      await writeOutput(output, html);
      note(`wrote ${data.edges.length} edges of ${data.namespaces.length} namespaces to ${output}`);
    });
}
