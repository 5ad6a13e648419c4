import type { Query } from './database.ts';

/** How far the trail is, and what is known to keep it from going on. */
export interface FreshnessFacts {
  /** Since when the trail has its tables. */
  since: Date;
  /** When anything was merged, settled or made final last; a settled bucket may be empty. Undefined: never. */
  lastProgressAt: Date | undefined;
  /** Start of the newest bucket that was merged or settled. */
  newestBucket: Date | undefined;
  /** Start of the newest bucket that is settled: what Goldmane had until then is in the trail. */
  settledBucket: Date | undefined;
  /** Why Goldmane cannot be asked, and when that was seen last. */
  trouble: { what: string; at: Date } | undefined;
  /** Why the newest bucket that was asked for is a gap, where it is one. */
  gapCause: string | undefined;
}

/** @throws DatabaseFailure */
export async function readFreshness(query: Query): Promise<FreshnessFacts> {
  const [row] = await query<{
    since: Date;
    progress_at: Date | null;
    newest: Date | null;
    settled: Date | null;
    trouble: string | null;
    trouble_at: Date | null;
    gap_cause: string | null;
  }>(
    `select
       (select min(run_on) at time zone current_setting('timezone') from flow_trail_migration) as since,
       (select greatest(max(merged_at), max(settled_at), max(final_at)) from bucket_ledger) as progress_at,
       (select max(bucket) from bucket_ledger
         where coalesce(merged_at, settled_at, final_at) is not null) as newest,
       (select max(bucket) from bucket_ledger where settled_at is not null) as settled,
       s.trouble, s.trouble_at,
       (select gap_cause from bucket_ledger
         where settled_at is null and final_at is null order by bucket desc limit 1) as gap_cause
     from trail_state s`,
  );
  if (!row) throw new Error('trail_state has lost its row');
  return {
    since: row.since,
    lastProgressAt: row.progress_at ?? undefined,
    newestBucket: row.newest ?? undefined,
    settledBucket: row.settled ?? undefined,
    trouble:
      row.trouble !== null && row.trouble_at !== null ? { what: row.trouble, at: row.trouble_at } : undefined,
    gapCause: row.gap_cause ?? undefined,
  };
}
