import { Command } from 'commander';
import { queryEdges } from '../trail/query-edges.ts';
import { formatTime, print } from './output.ts';
import { withDatabase } from './with-database.ts';

const dayMs = 86_400_000;
const limit = 10_000;

export function digestCommand(): Command {
  return new Command('digest')
    .description(
      'prints the edges first seen in the last 24 hours (the name of the container command that it replaces)',
    )
    .action(async () => {
      const since = new Date(Date.now() - dayMs);
      const edges = await withDatabase((query) => queryEdges(query, { newSince: since, limit }));
      print(
        edges.length === 0
          ? `no edge was first seen since ${formatTime(since)}`
          : `${edges.length} edges were first seen since ${formatTime(since)}:`,
      );
      for (const { srcNs, dstNs, action, firstSeen, flowCount } of edges)
        print(`  ${srcNs} -> ${dstNs}  ${action}  since ${formatTime(firstSeen)}, ${flowCount} flows`);
    });
}
