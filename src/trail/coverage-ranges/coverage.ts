import { missingRow } from '../database/database-failure.ts';
import type { Query } from '../database/database.ts';
import { readLedger } from '../merge/ledger.ts';
import { bucketSeconds } from '../../time/bucket.ts';
import { continues, extend, joinStretches } from './stretches.ts';

/** How a stretch of time was observed (invariant 4). `incomplete`: listed, but records were rejected; `pending`: too
 * recent to be settled.
 */
export type CoverageState = 'final' | 'settled' | 'incomplete' | 'streamed' | 'gap' | 'pending';

export interface CoverageStretch {
  fromSeconds: number;
  toSeconds: number;
  state: CoverageState;
  /** Why there is a gap. */
  cause?: string;
  /** Only for incomplete time: the number of rejected records. */
  refusedRecords?: number;
}

/** The newest decided gaps and incomplete stretches, oldest first. @throws DatabaseFailure */
export async function readGaps(query: Query, limit: number): Promise<CoverageStretch[]> {
  const rows = await query<{ f: number; t: number; state: 'gap' | 'incomplete'; cause: string | null }>(
    `select extract(epoch from from_time)::float8 as f, extract(epoch from to_time)::float8 as t, state,
       case state when 'incomplete' then 'incomplete: records rejected: ' || refused_records else cause end as cause
     from coverage where state in ('gap', 'incomplete') order by from_time desc limit $1`,
    [limit],
  );
  return rows.toReversed().map(({ f, t, state, cause }) => ({
    fromSeconds: f,
    toSeconds: t,
    state,
    ...(cause === null ? {} : { cause }),
  }));
}

/**
 * Coverage of a period as contiguous stretches: the decided ones, then the last hour from the ledger, then `pending` up
 * to the end. Starts no earlier than the trail.
 * @throws DatabaseFailure
 */
export async function readCoverage(
  query: Query,
  fromSeconds: number,
  toSeconds: number,
): Promise<CoverageStretch[]> {
  const [state] = await query<{ began: number | null; decided: number | null }>(
    `select coalesce(extract(epoch from began_at), (select extract(epoch from min(bucket)) from bucket_ledger
         where streamed <> '' or settled <> '' or streamed_whole or settled_at is not null))::float8 as began,
       extract(epoch from decided_until)::float8 as decided from trail_state`,
  );
  if (!state) throw missingRow('trail_state');
  if (state.began === null) return [];
  const from = Math.max(fromSeconds, state.began);
  const rows = await query<{
    f: number;
    t: number;
    state: CoverageState;
    cause: string | null;
    refused: number;
  }>(
    `select extract(epoch from from_time)::float8 as f, extract(epoch from to_time)::float8 as t, state, cause,
       refused_records::float8 as refused
     from coverage where to_time > to_timestamp($1) and from_time < to_timestamp($2) order by from_time`,
    [from, toSeconds],
  );
  const stretches = rows.map(({ f, t, state, cause, refused }): CoverageStretch => ({
    fromSeconds: Math.max(f, from),
    toSeconds: Math.min(t, toSeconds),
    state,
    ...(cause === null ? {} : { cause }),
    ...(state === 'incomplete' ? { refusedRecords: refused } : {}),
  }));
  // Another worker may have decided more between the two queries.
  const decided = Math.max(state.decided ?? state.began, from, stretches.at(-1)?.toSeconds ?? from);
  const recent = joinStretches(await readLedger(query, decided - bucketSeconds), decided, toSeconds, {
    state: 'pending',
  });
  const [next, ...rest] = recent;
  const last = stretches.at(-1);
  if (next && last && continues(last, next)) {
    extend(last, next);
    return [...stretches, ...rest];
  }
  return [...stretches, ...recent];
}
