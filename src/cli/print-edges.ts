import type { EdgeRow } from '../trail/query-edges.ts';
import { formatTime, printTable } from './output.ts';

/** One line per edge. */
export function printEdges(edges: readonly EdgeRow[]): void {
  printTable(
    ['FROM', 'TO', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
    edges.map(({ srcNs, dstNs, action, firstSeen, lastSeen, flowCount }) => [
      srcNs,
      dstNs,
      action,
      formatTime(firstSeen),
      formatTime(lastSeen),
      flowCount,
    ]),
  );
}
