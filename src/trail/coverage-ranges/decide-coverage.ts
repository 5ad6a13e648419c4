import type { CoverageStretch } from './coverage.ts';
import { missingRow } from '../database/database-failure.ts';
import type { Database, Query } from '../database/database.ts';
import { noteRestore, restoredCause } from './detect-restore.ts';
import { readLedger } from '../merge/ledger.ts';
import { joinStretches } from './stretches.ts';

/**
 * Stores the coverage of all time before `untilSeconds`, which has left Goldmane's ring, as observed time or as gaps
 * with a cause. Two workers may call it at the same time.
 * @param onlyInTrouble does nothing unless a problem is recorded, which becomes the cause of the gap
 * @returns the gaps and incomplete time that this call decided
 */
export function decideCoverage(
  database: Database,
  untilSeconds: number,
  defaultCause: string,
  { onlyInTrouble = false }: { onlyInTrouble?: boolean } = {},
): Promise<CoverageStretch[]> {
  return database.transaction(async (query) => {
    const [state] = await query<{ began: number | null; decided: number | null; trouble: string | null }>(
      `select extract(epoch from began_at)::float8 as began, extract(epoch from decided_until)::float8 as decided,
         trouble from trail_state for update`,
    );
    if (!state) throw missingRow('trail_state');
    if (onlyInTrouble && state.trouble === null) return [];
    const restoredUntil = await noteRestore(query, untilSeconds);
    const began = state.began ?? (await firstSeen(query));
    if (began === undefined) return [];
    const from = state.decided ?? began;
    if (untilSeconds <= from) return [];
    const cause = state.trouble ?? defaultCause;
    const lostUntil = Math.min(Math.max(restoredUntil, from), untilSeconds);
    const causeAt = (startSeconds: number) => (startSeconds < lostUntil ? restoredCause : cause);
    const buckets = (await readLedger(query, from)).map((bucket) =>
      bucket.state === 'pending'
        ? { ...bucket, state: 'gap' as const, cause: bucket.cause ?? causeAt(bucket.startSeconds) }
        : bucket,
    );
    const stretches = [
      ...joinStretches(buckets, from, lostUntil, { state: 'gap', cause: restoredCause }),
      ...joinStretches(buckets, lostUntil, untilSeconds, { state: 'gap', cause }),
    ];
    await appendStretches(query, stretches);
    await query('update trail_state set began_at = to_timestamp($1), decided_until = to_timestamp($2)', [
      began,
      untilSeconds,
    ]);
    return stretches.filter(({ state: found }) => found === 'gap' || found === 'incomplete');
  });
}

/**
 * The trail begins with the first observed bucket; time before it is not a gap. The start is stored only once that
 * bucket has left the ring; until then settling may still find older ones.
 */
async function firstSeen(query: Query): Promise<number | undefined> {
  const [first] = await query<{ began: number | null }>(
    `select extract(epoch from min(bucket))::float8 as began from bucket_ledger
     where streamed <> '' or settled <> '' or streamed_whole or settled_at is not null`,
  );
  return first?.began ?? undefined;
}

/** Extends the newest stretch if the first new one continues it, so that months without a gap are one row. */
async function appendStretches(query: Query, stretches: readonly CoverageStretch[]): Promise<void> {
  const [first, ...rest] = stretches;
  if (!first) return;
  const grown = await query(
    `update coverage set to_time = to_timestamp($2), refused_records = refused_records + $5
     where to_time = to_timestamp($1) and state = $3 and cause is not distinct from $4 returning 1`,
    [first.fromSeconds, first.toSeconds, first.state, first.cause ?? null, first.refusedRecords ?? 0],
  );
  const added = grown.length > 0 ? rest : stretches;
  await query(
    `insert into coverage (from_time, to_time, state, cause, refused_records)
     select to_timestamp(f), to_timestamp(t), s, c, r
     from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[]) as i(f, t, s, c, r) order by f`,
    [
      added.map(({ fromSeconds }) => fromSeconds),
      added.map(({ toSeconds }) => toSeconds),
      added.map(({ state }) => state),
      added.map(({ cause }) => cause ?? null),
      added.map(({ refusedRecords }) => refusedRecords ?? 0),
    ],
  );
}
