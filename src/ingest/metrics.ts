import type { MetricMeter } from '@temporalio/common';
import { memoryLimits } from '../config/memory-limits.ts';
import type { GoldmaneFailureKind } from '../goldmane/failure.ts';
import type { Folded } from '../trail/fold.ts';
import type { MergeSummary } from '../trail/merge.ts';

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
  const counter = (name: string, description: string) =>
    meter.createCounter(`flow_trail_${name}`, '', description);
  const gauge = (name: string, unit: string, description: string) => {
    const made = meter.createGauge(`flow_trail_${name}`, 'float', unit, description);
    // The SDK throws on negative values, so a changed clock or an expired certificate would end a job.
    return { set: (value: number, tags?: Record<string, string>) => made.set(value < 0 ? 0 : value, tags) };
  };
  const records = counter('records', 'Records read from Goldmane, by reader');
  const leftOut = counter(
    'records_left_out',
    'Records that are not counted in the trail, by reader and reason',
  );
  const late = counter('records_found_by_settling', 'Edge records that the stream missed and settling found');
  const buckets = counter('buckets_settled', 'Buckets settled, by stage');
  const merges = counter('merges', 'Merge transactions, by reader');
  const refused = counter('buckets_refused', 'Buckets rejected because their hashes have expired');
  const newEdges = counter('new_edges', 'Edges seen for the first time');
  const newFacts = counter('new_facts', 'Flow facts seen for the first time');
  const reconnects = counter('reconnects', 'Connections to Goldmane that ended, by reader and cause');
  const gaps = counter('coverage_gap_buckets', 'Buckets that were not observed');
  const incompleteBuckets = counter(
    'incomplete_buckets',
    'Listed buckets that are incomplete because a record was rejected; a bucket counts once per listing',
  );
  const coarseFacts = counter(
    'coarse_facts',
    'Facts of very large buckets stored without their service identity, port or policy trace; a bucket counts once per listing',
  );
  const limitedFacts = counter(
    'limited_identity_facts',
    'Facts stored without a service identity or network set, because their namespace has more than IDENTITY_CAP',
  );
  const refusedRecords = counter('refused_records', 'Unreadable records that settling rejected');
  const slackMessages = counter('slack_messages', 'Messages to Slack, by result');
  const certificateChecks = counter('certificate_checks', 'Certificate checks, by state found');
  const certificateDays = gauge(
    'certificate_days_left',
    '',
    'Days until the certificate expires: the client’s, its CA’s, or Goldmane’s own',
  );
  const certificateSeverity = gauge(
    'certificate_severity',
    '',
    '0 while the certificates are good, 1 warning, 2 critical',
  );
  const freshnessChecks = counter('freshness_checks', 'Freshness checks, by state found');
  const sinceMerge = gauge(
    'since_last_merge_seconds',
    '',
    'Time since anything was merged or settled, at the last check',
  );
  const lag = gauge('stream_lag_seconds', 's', 'Delay of the newest streamed bucket');
  const newest = gauge('newest_bucket_timestamp_seconds', 's', 'Start of the newest bucket merged');
  const settledUpTo = gauge(
    'settled_up_to_timestamp_seconds',
    's',
    'All buckets before this time are settled, or their coverage is decided',
  );
  const settlingRound = gauge(
    'settling_round_timestamp_seconds',
    's',
    'When a settling round last succeeded and the heartbeat was sent',
  );
  const heartbeats = counter('heartbeats', 'Calls to HEARTBEAT_URL, by result');
  const pending = gauge('pending_records', '', 'Streamed records waiting to be merged');
  const connected = gauge('connected', '', '1 while the reader has a connection to Goldmane');
  const edges = gauge('edges', '', 'Rows of edge');
  const facts = gauge('facts', '', 'Rows of flow_fact');
  const limits = gauge('memory_limit', '', 'Limits derived from the heap size of the process, by limit');
  for (const [limit, value] of Object.entries<number>({ ...memoryLimits })) limits.set(value, { limit });
  const listSeconds = meter.createHistogram(
    'flow_trail_list_seconds',
    'float',
    '',
    'Duration of one List call of one bucket',
  );
  const database = meter.createHistogram(
    'flow_trail_database_seconds',
    'float',
    '',
    'Duration of one database operation',
  );
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
