import type { Progress, SettleSummary, StreamSummary } from '../../src/ingest/summary.ts';

const from = '2026-01-31T08:00:00.000Z';
const to = '2026-01-31T08:15:00.000Z';

export function streamSummary(ended: 'window' | 'cancelled' = 'window'): StreamSummary {
  return {
    reader: 'stream',
    from,
    to,
    ended,
    connections: 1,
    records: 1_000,
    leftOut: { no_edge: 10 },
    merges: 15,
    recordsMerged: 900,
    newEdges: 2,
    newEdgeNames: ['a -> b (allow)', 'a -> c (deny)'],
    newestBucket: '2026-01-31T08:14:30.000Z',
    bucketsStreamedWhole: 60,
    maxLagSeconds: 0.3,
    reconnects: {},
  };
}

export function settleSummary(ended: 'window' | 'cancelled' = 'window'): SettleSummary {
  return {
    reader: 'settle',
    from,
    to,
    ended,
    bucketsSettled: 60,
    bucketsFinal: 60,
    emptyBuckets: 0,
    records: 2_000,
    leftOut: {},
    lateRecords: 50,
    factRecords: 1_050,
    newEdges: 1,
    newEdgeNames: ['a -> d (allow)'],
    newFacts: 7,
    lists: 120,
    listSeconds: 5,
    settledUpTo: '2026-01-31T08:09:00.000Z',
    bucketsWaiting: 0,
    gaps: [],
    serverRestarts: 0,
  };
}

export function failing(reader: 'stream' | 'settle', error: string): Progress {
  return { reader, at: to, state: 'failing', error };
}

export function connected(reader: 'stream' | 'settle'): Progress {
  return { reader, at: to, state: 'connected', connectedSince: from };
}
