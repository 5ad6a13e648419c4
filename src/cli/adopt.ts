import { Command } from 'commander';
import { counted } from '../text/counted.ts';
import type { Adoption } from '../trail/edges/adopt.ts';
import { exitCodes } from './output/exit-codes.ts';
import { formatTime, print, printOutput, printTable } from './output/output.ts';
import { withOpenDatabase } from './connect/with-database.ts';

const edgesShown = 20;

export function adoptCommand(): Command {
  return new Command('adopt')
    .description(
      'Adopt counts that another program, such as goldmane-edge-aggregator, added to the table edge after the trail was created. Their records are then not counted again. No row of edge is changed.',
    )
    .option('--apply', 'adopt the counts; without this option nothing is changed')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Stop the other program first. A worker also adopts counts when it starts or
resumes and finds edges that were seen after the last bucket it merged; run this
command if the other program ran at the same time as the worker. Exits with 3 if
an edge has a lower count than the trail recorded: another program or a person
has changed it, and adopt does not modify it.

Examples:
  flow-trail adopt
  flow-trail adopt --apply`,
    )
    .action(async ({ apply = false, json }: { apply?: boolean; json?: boolean }) => {
      const { adopt } = await import('../trail/edges/adopt.ts');
      const adoption = await withOpenDatabase(
        (database) => adopt(database, { nowSeconds: Date.now() / 1000, isDryRun: !apply }),
        { isReadOnly: !apply },
      );
      if (json === true) printOutput('adopt', { isDryRun: !apply, ...adoption });
      else printAdoption(adoption, !apply);
      if (adoption.lowered.length > 0) process.exitCode = exitCodes.finding;
    });
}

function printAdoption({ until, edges, streamedOnly, lowered }: Adoption, isDryRun: boolean): void {
  if (until === undefined) print('Nothing to adopt: the trail accounts for the counts of all edges.');
  else {
    const records = edges.reduce((sum, { flowCount }) => sum + BigInt(flowCount), 0n);
    const elsewhere = records - BigInt(streamedOnly);
    print(
      `Another program counted ${elsewhere > 0n ? elsewhere : 0n} records. ${isDryRun ? 'Would adopt' : 'Adopted'} ` +
        `${records} records of ${counted(edges.length, 'edge')}, including those that the trail only streamed (${streamedOnly}).`,
    );
    print(
      `Buckets before ${formatTime(until)} ${isDryRun ? 'would no longer add' : 'no longer add'} to the counts.`,
    );
    printCounts('RECORDS', edges);
    if (isDryRun) print('Nothing was changed. Add --apply to adopt the counts.');
  }
  if (lowered.length === 0) return;
  print(`${counted(lowered.length, 'edge')} with a lower count than the trail recorded; not modified:`);
  printCounts('MISSING', lowered);
}

function printCounts(header: string, edges: Adoption['edges']): void {
  if (edges.length === 0) return;
  printTable(
    ['FROM', 'TO', 'ACTION', header],
    edges
      .slice(0, edgesShown)
      .map(({ srcNs, dstNs, action, flowCount }) => [srcNs, dstNs, action, flowCount]),
  );
  if (edges.length > edgesShown) print(`(${edges.length - edgesShown} more; --json lists all)`);
}
