import { bucketSeconds } from '../../time/bucket.ts';
import type { Database, Query } from '../database/database.ts';
import { settleAgeSeconds } from '../coverage-ranges/due-buckets.ts';
import { hashesMissingIn, readSortedHashes } from '../merge/sorted-hashes.ts';

/** Why a receiver did not get every record of a time range: `not_exported`: not all records were sent before it left
 * Goldmane's ring; `not_settled`: the trail itself did not settle it; `missing`: Goldmane no longer had some records;
 * `rejected`: the receiver rejected some.
 */
export type ExportGapReason = 'not_exported' | 'not_settled' | 'missing' | 'rejected';

export interface ExportGap {
  fromSeconds: number;
  toSeconds: number;
  reason: ExportGapReason;
  cause: string;
  /** The number of missing records; 0 if unknown. */
  records: number;
}

/** Number of buckets per transaction; limits the memory for hashes. */
const bucketsAtOnce = 20;

const causes: Record<ExportGapReason, string> = {
  not_exported:
    "not exported before Goldmane's one-hour buffer expired: no worker was exporting, or Temporal or the database was unavailable",
  not_settled: 'the trail did not settle this time; flow-trail coverage shows the cause',
  missing: 'Goldmane was restarted, or its buffer expired, before these records were sent',
  rejected: 'the receiver rejected these records',
};

/** Determines the gaps of the export in time whose coverage the trail has decided, which has therefore left
 * Goldmane's ring. Two workers may call it at the same time.
 * @returns the gaps determined by this call, oldest first; call it again until `isBehind` is false
 * @throws DatabaseFailure
 */
export function decideExportGaps(database: Database): Promise<{ gaps: ExportGap[]; isBehind: boolean }> {
  return database.transaction(async (query) => {
    const [state] = await query<StateRow>(
      `select extract(epoch from coalesce(s.decided_until, s.began_at))::float8 as from,
         extract(epoch from t.decided_until)::float8 as until, s.trouble,
         extract(epoch from s.trouble_at)::float8 as trouble_at,
         case when isfinite(t.expired_before) then extract(epoch from t.expired_before)::float8 end as expired_before
       from export_state s, trail_state t for update of s`,
    );
    const { from, until } = state ?? {};
    if (!state || from == null || until == null || until <= from) return { gaps: [], isBehind: false };
    const expiredBefore = Math.min(state.expired_before ?? from, until);
    const isExpired = from < expiredBefore;
    const to = isExpired ? expiredBefore : Math.min(until, from + bucketsAtOnce * bucketSeconds);
    const rows = await readRows(query, from, to, isExpired);
    const gaps = joinGaps(judge(rows, from, to, state, isExpired));
    await appendGaps(query, gaps);
    await query('update export_state set decided_until = to_timestamp($1)', [to]);
    await query('delete from bucket_export where bucket < to_timestamp($1)', [to]);
    return { gaps, isBehind: to < until };
  });
}

interface StateRow {
  from: number | null;
  until: number | null;
  trouble: string | null;
  trouble_at: number | null;
  expired_before: number | null;
}

interface JudgedRow {
  start: number;
  is_settled: boolean;
  settled: Buffer;
  sent: Buffer | null;
  is_done: boolean;
  rejected: number;
  rejection: string | null;
  given_up: string | null;
}

/** For expired time, only the export's own marks remain. */
async function readRows(
  query: Query,
  from: number,
  to: number,
  isExpired: boolean,
): Promise<Map<number, JudgedRow>> {
  const rows = await query<JudgedRow>(
    `select extract(epoch from bucket)::float8 as start, l.settled_at is not null as is_settled,
       coalesce(l.settled, '') as settled, case when l.bucket is not null then e.sent end as sent,
       e.done_at is not null as is_done, coalesce(e.rejected, 0) as rejected, e.rejection, e.given_up
     from (select * from bucket_ledger where not $3) l full join bucket_export e using (bucket)
     where bucket >= to_timestamp($1) and bucket < to_timestamp($2)`,
    [from, to, isExpired],
  );
  return new Map(rows.map((row) => [row.start, row]));
}

function* judge(
  rows: ReadonlyMap<number, JudgedRow>,
  from: number,
  to: number,
  { trouble, trouble_at }: StateRow,
  isExpired: boolean,
): Generator<ExportGap> {
  for (let start = from; start < to; start += bucketSeconds) {
    const row = rows.get(start);
    const gap = (reason: ExportGapReason, records: number, known?: string | null): ExportGap => ({
      fromSeconds: start,
      toSeconds: start + bucketSeconds,
      reason,
      cause: known ?? causes[reason],
      records,
    });
    // The problem lasted until after the bucket could have been sent.
    const wasTrouble = trouble_at !== null && trouble_at >= start + settleAgeSeconds;
    const known = row?.given_up ?? (wasTrouble ? trouble : undefined);
    if (isExpired ? row?.is_done !== true : row?.is_settled !== true) {
      yield isExpired ? gap('not_exported', 0, known) : gap('not_settled', 0);
      continue;
    }
    const sent = row?.sent ? readSortedHashes(row.sent) : new BigUint64Array();
    const missing = row ? hashesMissingIn(readSortedHashes(row.settled), sent).length : 0;
    // It was listed, but none of its records were sent: it had left the ring.
    if (missing > 0 && sent.length > 0 && row?.is_done) yield gap('missing', missing, known);
    else if (missing > 0)
      yield gap('not_exported', missing, known ?? (row?.is_done ? causes.missing : undefined));
    else if (row && row.rejected > 0)
      yield gap('rejected', row.rejected, row.rejection && `${causes.rejected}: ${row.rejection}`);
  }
}

function joinGaps(gaps: Iterable<ExportGap>): ExportGap[] {
  const joined: ExportGap[] = [];
  for (const gap of gaps) {
    const last = joined.at(-1);
    if (
      last &&
      last.toSeconds === gap.fromSeconds &&
      last.reason === gap.reason &&
      last.cause === gap.cause
    ) {
      last.toSeconds = gap.toSeconds;
      last.records += gap.records;
    } else joined.push(gap);
  }
  return joined;
}

/** Extends the newest gap if the first new one continues it. */
async function appendGaps(query: Query, gaps: readonly ExportGap[]): Promise<void> {
  const [first, ...rest] = gaps;
  if (!first) return;
  const grown = await query(
    `update export_gap set to_time = to_timestamp($2), records = records + $5
     where to_time = to_timestamp($1) and reason = $3 and cause = $4 returning 1`,
    [first.fromSeconds, first.toSeconds, first.reason, first.cause, first.records],
  );
  const added = grown.length > 0 ? rest : gaps;
  await query(
    `insert into export_gap (from_time, to_time, reason, cause, records)
     select to_timestamp(f), to_timestamp(t), s, c, r
     from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[]) as i(f, t, s, c, r) order by f`,
    [
      added.map(({ fromSeconds }) => fromSeconds),
      added.map(({ toSeconds }) => toSeconds),
      added.map(({ reason }) => reason),
      added.map(({ cause }) => cause),
      added.map(({ records }) => records),
    ],
  );
}

/** The newest gaps of the export that ended after `afterSeconds`, oldest first. @throws DatabaseFailure */
export async function readExportGaps(
  query: Query,
  afterSeconds: number,
  limit: number,
): Promise<ExportGap[]> {
  const rows = await query<ExportGap>(
    `select extract(epoch from from_time)::float8 as "fromSeconds", extract(epoch from to_time)::float8 as "toSeconds",
       reason, cause, records::float8 as records
     from export_gap where to_time > to_timestamp($1) order by from_time desc limit $2`,
    [afterSeconds, limit],
  );
  return rows.toReversed();
}
