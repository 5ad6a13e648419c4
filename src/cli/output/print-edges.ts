import type { EdgeRow } from '../../trail/edges/query-edges.ts';
import { clusterCell, clusterHeader, type InCluster } from '../clusters.ts';
import { formatTime, printTable } from './output.ts';

/** One line per edge. @param limit of the command; default: that of every table */
export function printEdges(edges: readonly InCluster<EdgeRow>[], limit?: number): void {
  printTable(
    [...clusterHeader(edges), 'FROM', 'TO', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
    edges.map(({ cluster, srcNs, dstNs, action, firstSeen, lastSeen, flowCount }) => [
      ...clusterCell(cluster),
      srcNs,
      dstNs,
      action,
      formatTime(firstSeen),
      formatTime(lastSeen),
      flowCount,
    ]),
    limit === undefined ? {} : { limit },
  );
}
