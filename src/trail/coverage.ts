import type { Database, Query } from './database.ts';
import { bucketSeconds } from './plan.ts';

/**
 * What was seen of a stretch of time (invariant 4): `incomplete` was listed, but records were refused; `pending` is too
 * young to judge.
 */
export type CoverageState = 'final' | 'settled' | 'incomplete' | 'streamed' | 'gap' | 'pending';

export interface CoverageStretch {
  fromSeconds: number;
  toSeconds: number;
  state: CoverageState;
  /** Why there is a gap. */
  cause?: string;
  /** Only of incomplete time: how many records of its buckets were refused. */
  refusedRecords?: number;
}

/** A bucket as the ledger knows it, without its hashes. */
export interface LedgerBucket {
  startSeconds: number;
  state: CoverageState;
  cause?: string;
  refusedRecords?: number;
  /** Whether records of it were counted. */
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
 * Joins buckets into stretches: neighbours of the same state and cause become one, and a bucket that is not there
 * becomes what `missing` says. Pure.
 */
export function joinStretches(
  buckets: readonly Omit<LedgerBucket, 'hasRecords'>[],
  fromSeconds: number,
  toSeconds: number,
  missing: Pick<CoverageStretch, 'state' | 'cause'>,
): CoverageStretch[] {
  const stretches: CoverageStretch[] = [];
  const add = (from: number, to: number, kind: Omit<CoverageStretch, 'fromSeconds' | 'toSeconds'>) => {
    if (to <= from) return;
    const next = { fromSeconds: from, toSeconds: to, ...kind };
    const last = stretches.at(-1);
    if (last && continues(last, next)) extend(last, next);
    else stretches.push(next);
  };
  let at = fromSeconds;
  for (const bucket of buckets) {
    const endSeconds = Math.min(bucket.startSeconds + bucketSeconds, toSeconds);
    if (endSeconds <= at || bucket.startSeconds >= toSeconds) continue;
    add(at, bucket.startSeconds, missing);
    const { state, cause, refusedRecords } = bucket;
    add(Math.max(at, bucket.startSeconds), endSeconds, {
      state,
      ...(state === 'gap' && cause !== undefined ? { cause } : {}),
      ...(refusedRecords === undefined ? {} : { refusedRecords }),
    });
    at = endSeconds;
  }
  add(at, toSeconds, missing);
  return stretches;
}

function continues(last: CoverageStretch, next: CoverageStretch): boolean {
  return last.toSeconds === next.fromSeconds && last.state === next.state && last.cause === next.cause;
}

function extend(last: CoverageStretch, next: CoverageStretch): void {
  last.toSeconds = next.toSeconds;
  if (next.refusedRecords !== undefined)
    last.refusedRecords = (last.refusedRecords ?? 0) + next.refusedRecords;
}

/**
 * Writes down permanently what was seen of all time before `untilSeconds` (which has left Goldmane's ring): covered, or a
 * gap with its cause. Safe with two workers at once. @returns the gaps and the incomplete time that were found now
 * @param onlyInTrouble nothing is decided unless there is a trouble that gives the gap its name
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
    if (onlyInTrouble && (state?.trouble ?? null) === null) return [];
    const restoredUntil = await noteRestore(query, untilSeconds);
    const began = state?.began ?? (await firstSeen(query));
    if (began === undefined) return [];
    const from = state?.decided ?? began;
    if (untilSeconds <= from) return [];
    const cause = state?.trouble ?? defaultCause;
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

/** The cause of a gap between the backup and the restore. */
export const restoredCause =
  'the database was restored from a backup, or a standby that lagged behind took over';

/**
 * Notices that this is another database than the one that was written to. Its row of `trail_state` is locked.
 * @returns before when missing buckets were lost with it, epoch seconds
 */
async function noteRestore(query: Query, untilSeconds: number): Promise<number> {
  const [row] = await query<{ known: string | null; present: string; restored: number | null }>(
    `select s.database_identity as known, c.system_identifier || '/' || k.timeline_id || '/' || d.oid as present,
       extract(epoch from s.restored_until)::float8 as restored
     from trail_state s, pg_control_system() c, pg_control_checkpoint() k, pg_database d
     where d.datname = current_database()`,
  );
  if (!row || row.known === row.present) return row?.restored ?? Number.NEGATIVE_INFINITY;
  const restored = row.known === null ? null : untilSeconds;
  await query('update trail_state set database_identity = $1, restored_until = to_timestamp($2)', [
    row.present,
    restored,
  ]);
  return restored ?? Number.NEGATIVE_INFINITY;
}

/**
 * The trail begins with the first bucket of which something was seen: what an empty ring held before is no gap. It is
 * written down only when that bucket has left the ring: until then settling may still find older ones.
 */
async function firstSeen(query: Query): Promise<number | undefined> {
  const [first] = await query<{ began: number | null }>(
    `select extract(epoch from min(bucket))::float8 as began from bucket_ledger
     where streamed <> '' or settled <> '' or streamed_whole or settled_at is not null`,
  );
  return first?.began ?? undefined;
}

/** The newest stretch grows where the first new one continues it; so months without a gap are one row. */
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

/**
 * Forgets the hashes of buckets that lie `keepSeconds` before the newest one, and refuses those buckets from now on.
 * The distance is from the newest bucket, not from a clock: a clock that jumps must not make the trail forget.
 * What is not decided yet is kept. Where nothing has become old, nothing is written.
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
      `delete from bucket_ledger where bucket < (select expired_before from trail_state)
       returning octet_length(streamed) / 8 as streamed`,
    );
    const streamedOnly = rows.reduce((sum, { streamed }) => sum + streamed, 0);
    // They stay counted in edges and in no fact.
    if (streamedOnly > 0)
      await query('update trail_state set streamed_only = streamed_only + $1', [streamedOnly]);
    return rows.length;
  });
}

/** Buckets before this have lost their hashes, and are not merged any more. @throws DatabaseFailure */
export async function readRefusedBefore(query: Query): Promise<number> {
  const [state] = await query<{ before: number | null }>(
    `select case when isfinite(expired_before) then extract(epoch from expired_before)::float8 end as before
     from trail_state`,
  );
  return state?.before ?? Number.NEGATIVE_INFINITY;
}

/** The newest gaps and incomplete stretches that were decided, oldest first. @throws DatabaseFailure */
export async function readGaps(query: Query, limit: number): Promise<CoverageStretch[]> {
  const rows = await query<{ f: number; t: number; state: 'gap' | 'incomplete'; cause: string | null }>(
    `select extract(epoch from from_time)::float8 as f, extract(epoch from to_time)::float8 as t, state,
       case state when 'incomplete' then 'incomplete: records refused: ' || refused_records else cause end as cause
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
 * What was seen of the time between two moments, as stretches that touch: the decided ones, then what the ledger says of
 * the last hour, then `pending` up to the end. Nothing before the trail began. @throws DatabaseFailure
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
  if (state?.began === null || state?.began === undefined) return [];
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
  // What another worker decided between the two questions counts as decided.
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
