import type { MetricMeter } from '@temporalio/common';
import type { GoldmaneFailureKind } from '../goldmane/failure.ts';
import type { Folded } from '../trail/fold/fold-stream.ts';
import type { MergeSummary } from '../trail/merge/merge.ts';
import { TrailMeter } from '../temporal/trail-meter.ts';

/** Metrics of the two readers and of what they merge; docs/operations.md lists them. */
export interface ReaderMetrics {
  /** Counts are added about once a second: calling the SDK for every record would cost more than folding it. */
  streamed(counts: ReadonlyMap<Folded | 'malformed', number>): void;
  listed(count: number, leftOut: { noTraffic: number; malformed: number }, seconds: number): void;
  settled(stage: 'settled' | 'final', buckets: number): void;
  merged(reader: 'stream' | 'settle', summary: MergeSummary): void;
  reconnect(reader: 'stream' | 'settle', cause: string): void;
  gap(buckets: number): void;
  /** One listing of a bucket, with the number of rejected records. */
  incomplete(refusedRecords: number): void;
  lag(seconds: number): void;
  newestBucket(seconds: number): void;
  settledUpTo(seconds: number): void;
  /** A settling round succeeded at that time, epoch seconds. */
  settlingRound(seconds: number): void;
  pending(records: number): void;
  connected(reader: 'stream' | 'settle', connected: boolean): void;
  rows(counts: { edges: number; facts: number }): void;
  /** Values from the database, used until this worker merges or settles something. */
  begin(trail: { since: Date; newestBucket: Date | undefined; settledBucket: Date | undefined }): void;
}

const readers = ['stream', 'settle'] as const;
const leftOutReasons = {
  stream: ['no_traffic', 'no_edge', 'repeated', 'malformed', 'dropped', 'future'],
  settle: ['no_traffic', 'malformed'],
} as const;
/** The states that alerts use. */
const reconnectCauses: readonly GoldmaneFailureKind[] = [
  'certificate_unreadable',
  'certificate_expired',
  'certificate_refused',
  'unknown_ca',
  'server_certificate_expired',
  'wrong_server_name',
  'unavailable',
];

/** Registers the metrics with the SDK's meter; the runtime's Prometheus exporter serves them. */
export function createReaderMetrics(meter: MetricMeter): ReaderMetrics {
  const trail = new TrailMeter(meter);
  const records = trail.counter('records', 'Records read from Goldmane, by reader');
  const leftOut = trail.counter(
    'records_left_out',
    'Records that are not counted in the trail, by reader and reason',
  );
  const late = trail.counter(
    'records_found_by_settling',
    'Edge records that the stream missed and settling found',
  );
  const buckets = trail.counter('buckets_settled', 'Buckets settled, by stage');
  const merges = trail.counter('merges', 'Merge transactions, by reader');
  const refused = trail.counter('buckets_refused', 'Buckets rejected because their hashes have expired');
  const newEdges = trail.counter('new_edges', 'Edges seen for the first time');
  const newFacts = trail.counter('new_facts', 'Flow facts seen for the first time');
  const reconnects = trail.counter('reconnects', 'Connections to Goldmane that ended, by reader and cause');
  const gaps = trail.counter('coverage_gap_buckets', 'Buckets that were not observed');
  const incompleteBuckets = trail.counter(
    'incomplete_buckets',
    'Listed buckets that are incomplete because a record was rejected; a bucket counts once per listing',
  );
  const coarseFacts = trail.counter(
    'coarse_facts',
    'Facts of very large buckets stored without their service identity, port or policy trace; a bucket counts once per listing',
  );
  const limitedFacts = trail.counter(
    'limited_identity_facts',
    'Facts stored without a service identity or network set, because their namespace has more than IDENTITY_CAP',
  );
  const refusedRecords = trail.counter('refused_records', 'Unreadable records that settling rejected');
  const lag = trail.gauge('stream_lag_seconds', 'Delay of the newest streamed bucket', 's');
  const newest = trail.gauge('newest_bucket_timestamp_seconds', 'Start of the newest bucket merged', 's');
  const settledUpTo = trail.gauge(
    'settled_up_to_timestamp_seconds',
    'All buckets before this time are settled, or their coverage is decided',
    's',
  );
  const settlingRound = trail.gauge(
    'settling_round_timestamp_seconds',
    'When a settling round last succeeded and the heartbeat was sent',
    's',
  );
  const pending = trail.gauge('pending_records', 'Streamed records waiting to be merged');
  const connected = trail.gauge('connected', '1 while the reader has a connection to Goldmane');
  const edges = trail.gauge('edges', 'Rows of edge');
  const facts = trail.gauge('facts', 'Rows of flow_fact');
  const listSeconds = trail.histogram('list_seconds', 'Duration of one List call of one bucket');
  // Every series exists from the first scrape: an alert on a missing series would never fire.
  for (const reader of readers) {
    for (const each of [records, merges]) each.add(0, { reader });
    for (const reason of leftOutReasons[reader]) leftOut.add(0, { reader, reason });
    for (const cause of reconnectCauses) reconnects.add(0, { reader, cause });
    connected.set(0, { reader });
  }
  for (const each of [late, refused, newEdges, newFacts, gaps, incompleteBuckets, refusedRecords])
    each.add(0);
  for (const each of [coarseFacts, limitedFacts]) each.add(0);
  for (const stage of ['settled', 'final']) buckets.add(0, { stage });
  for (const each of [lag, newest, settledUpTo, settlingRound, pending, edges, facts]) each.set(0);
  let [hasNewest, hasSettled] = [false, false];
  return {
    streamed(counts) {
      for (const [folded, count] of counts) {
        records.add(count, { reader: 'stream' });
        if (folded !== 'pending') leftOut.add(count, { reader: 'stream', reason: folded });
      }
    },
    listed(count, { noTraffic, malformed }, seconds) {
      records.add(count, { reader: 'settle' });
      if (noTraffic > 0) leftOut.add(noTraffic, { reader: 'settle', reason: 'no_traffic' });
      if (malformed > 0) leftOut.add(malformed, { reader: 'settle', reason: 'malformed' });
      listSeconds.record(seconds);
    },
    settled: (stage, count) => buckets.add(count, { stage }),
    merged(reader, summary) {
      merges.add(1, { reader });
      if (summary.newEdges.length > 0) newEdges.add(summary.newEdges.length);
      if (summary.newFacts > 0) newFacts.add(summary.newFacts);
      if (summary.refusedBuckets > 0) refused.add(summary.refusedBuckets);
      if (summary.coarseFacts > 0) coarseFacts.add(summary.coarseFacts);
      if (summary.limitedFacts > 0) limitedFacts.add(summary.limitedFacts);
      if (summary.collidedRecords > 0) leftOut.add(summary.collidedRecords, { reader, reason: 'same_hash' });
      if (reader === 'settle' && summary.foundBySettling > 0) late.add(summary.foundBySettling);
    },
    reconnect: (reader, cause) => reconnects.add(1, { reader, cause }),
    gap: (count) => gaps.add(count),
    incomplete(count) {
      incompleteBuckets.add(1);
      refusedRecords.add(count);
    },
    lag: (seconds) => lag.set(seconds),
    newestBucket(seconds) {
      hasNewest = true;
      newest.set(seconds);
    },
    settledUpTo(seconds) {
      hasSettled = true;
      settledUpTo.set(seconds);
    },
    settlingRound: (seconds) => settlingRound.set(seconds),
    pending: (count) => pending.set(count),
    connected(reader, value) {
      connected.set(value ? 1 : 0, { reader });
      if (reader === 'stream' && !value) lag.set(0);
    },
    rows(counts) {
      edges.set(counts.edges);
      facts.set(counts.facts);
    },
    begin({ since, newestBucket, settledBucket }) {
      if (!hasNewest) newest.set((newestBucket ?? since).getTime() / 1000);
      if (!hasSettled) settledUpTo.set((settledBucket ?? since).getTime() / 1000);
    },
  };
}
