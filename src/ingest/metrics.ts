import type { MetricMeter } from '@temporalio/common';
import { memoryLimits } from '../config/memory-limits.ts';
import type { GoldmaneFailureKind } from '../goldmane/failure.ts';
import type { Folded } from '../trail/fold.ts';
import type { MergeSummary } from '../trail/merge.ts';
import { TrailMeter } from '../temporal/trail-meter.ts';

/** The trail's own metrics, in addition to the SDK's, on /metrics. Names are documented in docs/operations.md. */
export interface TrailMetrics {
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
  /** `sent`, or why not. */
  heartbeat(result: string): void;
  pending(records: number): void;
  connected(reader: 'stream' | 'settle', connected: boolean): void;
  rows(counts: { edges: number; facts: number }): void;
  databaseSeconds(seconds: number): void;
  /** `posted`, `printed`, or the kind of the failure. */
  slackMessage(result: string): void;
  /** The result of a certificate check; days may be fractional and negative. */
  certificates(
    state: string,
    severity: 'good' | 'warning' | 'critical',
    daysLeft: Partial<Record<'client' | 'ca' | 'goldmane', number>>,
  ): void;
  /** Seconds since anything was merged or settled; undefined if nothing has been. */
  freshness(state: string, seconds: number | undefined): void;
  /** Values from the database, used until this worker merges or settles something. */
  begin(trail: { since: Date; newestBucket: Date | undefined; settledBucket: Date | undefined }): void;
  /**
   * The time of the last certificate check, possibly by another worker: an older check by this worker is then
   * discarded.
   */
  checkedElsewhere(checkedAt: Date): void;
}

/**
 * Another worker's check counts as newer only if it is later by this much, because a check is stored shortly after it
 * was made.
 */
const newerCheckMs = 120_000;
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
const certificateNames = ['client', 'ca', 'goldmane'] as const;
const heartbeatResults = ['sent', 'refused', 'timeout', 'unreachable', 'no_url'] as const;

/** Registers the metrics with the SDK's meter; the runtime's Prometheus exporter serves them. */
export function createMetrics(meter: MetricMeter): TrailMetrics {
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
  const slackMessages = trail.counter('slack_messages', 'Messages to Slack, by result');
  const certificateChecks = trail.counter('certificate_checks', 'Certificate checks, by state found');
  const certificateDays = trail.gauge(
    'certificate_days_left',
    'Days until the certificate expires: the client’s, its CA’s, or Goldmane’s own',
  );
  const certificateSeverity = trail.gauge(
    'certificate_severity',
    '0 while the certificates are good, 1 warning, 2 critical',
  );
  const freshnessChecks = trail.counter('freshness_checks', 'Freshness checks, by state found');
  const sinceMerge = trail.gauge(
    'since_last_merge_seconds',
    'Time since anything was merged or settled, at the last check',
  );
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
  const heartbeats = trail.counter('heartbeats', 'Calls to HEARTBEAT_URL, by result');
  const pending = trail.gauge('pending_records', 'Streamed records waiting to be merged');
  const connected = trail.gauge('connected', '1 while the reader has a connection to Goldmane');
  const edges = trail.gauge('edges', 'Rows of edge');
  const facts = trail.gauge('facts', 'Rows of flow_fact');
  const limits = trail.gauge('memory_limit', 'Limits derived from the heap size of the process, by limit');
  for (const [limit, value] of Object.entries<number>({ ...memoryLimits })) limits.set(value, { limit });
  const listSeconds = trail.histogram('list_seconds', 'Duration of one List call of one bucket');
  const database = trail.histogram('database_seconds', 'Duration of one database operation');
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
  for (const result of ['posted', 'printed']) slackMessages.add(0, { result });
  for (const result of heartbeatResults) heartbeats.add(0, { result });
  for (const each of [certificateChecks, freshnessChecks]) each.add(0, { state: 'good' });
  for (const each of [lag, newest, settledUpTo, settlingRound, pending, edges, facts, certificateSeverity])
    each.set(0);
  const forgetDays = () => {
    for (const certificate of certificateNames) certificateDays.set(Number.NaN, { certificate });
  };
  forgetDays();
  sinceMerge.set(Number.NaN);
  let [hasNewest, hasSettled] = [false, false];
  let lookedAtMs = 0;
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
    heartbeat: (result) => heartbeats.add(1, { result }),
    pending: (count) => pending.set(count),
    connected(reader, value) {
      connected.set(value ? 1 : 0, { reader });
      if (reader === 'stream' && !value) lag.set(0);
    },
    rows(counts) {
      edges.set(counts.edges);
      facts.set(counts.facts);
    },
    databaseSeconds: (seconds) => database.record(seconds),
    slackMessage: (result) => slackMessages.add(1, { result }),
    certificates(state, severity, daysLeft) {
      lookedAtMs = Date.now();
      certificateChecks.add(1, { state });
      certificateSeverity.set({ good: 0, warning: 1, critical: 2 }[severity]);
      for (const certificate of certificateNames)
        certificateDays.set(daysLeft[certificate] ?? Number.NaN, { certificate });
    },
    freshness(state, seconds) {
      freshnessChecks.add(1, { state });
      if (seconds !== undefined) sinceMerge.set(seconds);
    },
    begin({ since, newestBucket, settledBucket }) {
      if (!hasNewest) newest.set((newestBucket ?? since).getTime() / 1000);
      if (!hasSettled) settledUpTo.set((settledBucket ?? since).getTime() / 1000);
    },
    checkedElsewhere(checkedAt) {
      if (checkedAt.getTime() < lookedAtMs + newerCheckMs) return;
      forgetDays();
      certificateSeverity.set(0);
    },
  };
}
