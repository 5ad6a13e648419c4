import type { CoverageState } from '../coverage-ranges/coverage.ts';
import type { Database, Query } from '../database/database.ts';

/** A ledger row without its hashes. */
export interface LedgerBucket {
  startSeconds: number;
  state: CoverageState;
  cause?: string;
  refusedRecords?: number;
  /** Whether any of its records were counted. */
  hasRecords: boolean;
}

const stateOf = `case when settled_at is not null and refused_records > 0 then 'incomplete'
  when final_at is not null then 'final' when settled_at is not null then 'settled'
  when streamed_whole then 'streamed' when gap_cause is not null then 'gap' else 'pending' end`;

/** The ledger's buckets from `fromSeconds` on, oldest first. @throws DatabaseFailure */
export async function readLedger(query: Query, fromSeconds: number): Promise<LedgerBucket[]> {
  const rows = await query<{
    start: number;
    state: CoverageState;
    cause: string | null;
    refused: number;
    has_records: boolean;
  }>(
    `select extract(epoch from bucket)::float8 as start, ${stateOf} as state, gap_cause as cause,
       refused_records as refused, streamed <> '' or settled <> '' as has_records
     from bucket_ledger where bucket >= to_timestamp($1) order by bucket`,
    [fromSeconds],
  );
  return rows.map(({ start, state, cause, refused, has_records }) => ({
    startSeconds: start,
    state,
    ...(cause === null ? {} : { cause }),
    ...(state === 'incomplete' ? { refusedRecords: refused } : {}),
    hasRecords: has_records,
  }));
}

/**
 * Deletes buckets that are more than `keepSeconds` older than the newest one; merges reject them from then on. Age is
 * measured from the newest bucket, because a clock may jump. Undecided buckets are kept.
 * @returns the number of deleted buckets
 */
export function expireLedger(database: Database, keepSeconds: number): Promise<number> {
  return database.transaction(async (query) => {
    await query(
      `update trail_state set expired_before = least(decided_until, newest.bucket)
       from (select max(bucket) - make_interval(secs => $1) as bucket from bucket_ledger
         where streamed <> '' or settled <> '') newest
       where least(decided_until, newest.bucket) > expired_before`,
      [keepSeconds],
    );
    const rows = await query<{ streamed: number }>(
      `delete from bucket_ledger l using trail_state s where l.bucket < s.expired_before
       returning case when l.bucket + interval '15 s' <= s.adopted_until then 0
         else octet_length(l.streamed) / 8 end as streamed`,
    );
    const streamedOnly = rows.reduce((sum, { streamed }) => sum + streamed, 0);
    // These records stay counted in edges and are in no fact. Records of adopted buckets are not counted.
    if (streamedOnly > 0)
      await query('update trail_state set streamed_only = streamed_only + $1', [streamedOnly]);
    return rows.length;
  });
}

/** Buckets before this were deleted, and merges reject them. Epoch seconds. @throws DatabaseFailure */
export async function readRefusedBefore(query: Query): Promise<number> {
  const [state] = await query<{ before: number | null }>(
    `select case when isfinite(expired_before) then extract(epoch from expired_before)::float8 end as before
     from trail_state`,
  );
  return state?.before ?? Number.NEGATIVE_INFINITY;
}
