import { missingRow } from '../database/database-failure.ts';
import type { Query } from '../database/database.ts';
import { readCrashes, type Crashes } from '../workers/worker-processes.ts';

/** The progress of each reader, and the last recorded problem. */
export interface FreshnessFacts {
  /** When the tables were created. */
  since: Date;
  /** When a bucket was last merged, settled or made final; a settled one may be empty. Undefined if never. */
  lastProgressAt: Date | undefined;
  /** When a bucket was last settled or made final. Undefined if never. */
  lastSettledAt: Date | undefined;
  /** The latest of these times, if it is more than a minute in the future: a clock was ahead. */
  futureAt: Date | undefined;
  /** Start of the newest bucket that the stream delivered completely. */
  streamedBucket: Date | undefined;
  /** Settled buckets with records after `streamedBucket`, which the stream should have delivered. */
  missedByStream: number;
  /** Start of the newest bucket that was merged or settled. */
  newestBucket: Date | undefined;
  /** Start of the newest settled bucket. */
  settledBucket: Date | undefined;
  /** Why Goldmane cannot be read, and when that was last seen. */
  trouble: { what: string; at: Date } | undefined;
  /** Why the newest unsettled bucket is a gap; undefined if it is not a gap. */
  gapCause: string | undefined;
  /** Workers that ended unexpectedly. */
  crashes: Crashes;
}

/** @param nowSeconds by the trail's clock; later stored times count as wrong, not as fresh @throws DatabaseFailure */
export async function readFreshness(query: Query, nowSeconds: number): Promise<FreshnessFacts> {
  const [row] = await query<{
    since: Date;
    progress_at: Date | null;
    settled_at: Date | null;
    future_at: Date | null;
    streamed: Date | null;
    missed: number;
    newest: Date | null;
    settled: Date | null;
    trouble: string | null;
    trouble_at: Date | null;
    gap_cause: string | null;
  }>(
    `select
       (select min(run_on) at time zone current_setting('timezone') from flow_trail_migration) as since,
       t.progress_at, t.settled_at, t.future_at, b.streamed,
       (select count(*)::int from bucket_ledger l where settled_at is not null and settled <> ''
         and bucket > coalesce(b.streamed, '-infinity')) as missed,
       (select max(bucket) from bucket_ledger
         where coalesce(merged_at, settled_at, final_at) is not null) as newest,
       (select max(bucket) from bucket_ledger where settled_at is not null) as settled,
       s.trouble, s.trouble_at,
       (select gap_cause from bucket_ledger
         where settled_at is null and final_at is null order by bucket desc limit 1) as gap_cause
     from trail_state s,
       (select max(at) filter (where at <= to_timestamp($1)) as progress_at,
          max(at) filter (where is_settling and at <= to_timestamp($1)) as settled_at,
          max(at) filter (where at > to_timestamp($1)) as future_at
        from bucket_ledger, lateral (values (merged_at, false), (settled_at, true), (final_at, true)) v (at, is_settling)) t,
       (select max(bucket) filter (where streamed_whole) as streamed from bucket_ledger) b`,
    [nowSeconds + 60],
  );
  if (!row) throw missingRow('trail_state');
  return {
    since: row.since,
    lastProgressAt: row.progress_at ?? undefined,
    lastSettledAt: row.settled_at ?? undefined,
    futureAt: row.future_at ?? undefined,
    streamedBucket: row.streamed ?? undefined,
    missedByStream: row.missed,
    newestBucket: row.newest ?? undefined,
    settledBucket: row.settled ?? undefined,
    trouble:
      row.trouble !== null && row.trouble_at !== null ? { what: row.trouble, at: row.trouble_at } : undefined,
    gapCause: row.gap_cause ?? undefined,
    crashes: await readCrashes(query),
  };
}
