import type { EdgeKey } from '../trail/edge-key.ts';
import type { SettleSummary, StreamSummary } from './summary.ts';

const namedEdges = 20;

/** The summary of a stream window at its start. `from` is ISO 8601. */
export function emptyStreamSummary(from: string): StreamSummary {
  return {
    reader: 'stream',
    from,
    to: '',
    ended: 'window',
    connections: 0,
    records: 0,
    leftOut: {},
    merges: 0,
    recordsMerged: 0,
    newEdges: 0,
    newEdgeNames: [],
    newestBucket: undefined,
    bucketsStreamedWhole: 0,
    maxLagSeconds: 0,
    reconnects: {},
  };
}

/** The summary of a settling window at its start. */
export function emptySettleSummary(from: string): SettleSummary {
  return {
    reader: 'settle',
    from,
    to: '',
    ended: 'window',
    bucketsSettled: 0,
    bucketsFinal: 0,
    emptyBuckets: 0,
    records: 0,
    leftOut: {},
    lateRecords: 0,
    factRecords: 0,
    newEdges: 0,
    newEdgeNames: [],
    newFacts: 0,
    lists: 0,
    listSeconds: 0,
    settledUpTo: undefined,
    bucketsWaiting: 0,
    gaps: [],
    serverRestarts: 0,
  };
}

/** Counts new edges and names the first of them. */
export function addNewEdges(
  summary: Pick<StreamSummary | SettleSummary, 'newEdges' | 'newEdgeNames'>,
  edges: readonly EdgeKey[],
): void {
  summary.newEdges += edges.length;
  for (const { srcNs, dstNs, action } of edges.slice(0, namedEdges - summary.newEdgeNames.length))
    summary.newEdgeNames.push(`${srcNs} -> ${dstNs} (${action})`);
}
