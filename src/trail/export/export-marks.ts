import type { Query } from '../database/database.ts';
import { packSorted, readSortedHashes } from '../merge/sorted-hashes.ts';
import { saltedHasher, unsaltedHasher, type RecordHasher } from '../merge/record-hash.ts';

/** A settled bucket that may have records that were not exported. */
export interface ExportBucket {
  startSeconds: number;
  /** Records that the trail counted in facts; a `List` response may have a few more. */
  records: number;
  /** `listed`: it was exported once, and is only checked for records that the trail's last listing added. */
  stage: 'new' | 'listed';
  /** Processes that started to export this very large bucket and did not finish. */
  largeTries: number;
}

/** The settled buckets to export, oldest first: those not exported yet, and those that the trail has since listed
 * for the last time. Buckets whose coverage is decided have left Goldmane's ring. @throws DatabaseFailure
 */
export async function readExportBuckets(query: Query): Promise<ExportBucket[]> {
  const rows = await query<{ start: number; records: number; is_listed: boolean; large_tries: number }>(
    `select extract(epoch from l.bucket)::float8 as start, octet_length(l.settled) / 8 as records,
       e.done_at is not null as is_listed, coalesce(e.large_tries, 0) as large_tries
     from trail_state s, bucket_ledger l left join bucket_export e using (bucket)
     where l.settled_at is not null and l.settled <> '' and l.bucket >= coalesce(s.decided_until, '-infinity')
       and (e.done_at is null or (l.final_at is not null and e.checked_at is null)) and e.given_up is null
     order by l.bucket`,
  );
  return rows.map(({ start, records, is_listed, large_tries }) => ({
    startSeconds: start,
    records,
    stage: is_listed ? 'listed' : 'new',
    largeTries: large_tries,
  }));
}

/** How records of a bucket are identified, and which of them are settled or sent. */
export interface ExportMarks {
  /** Computes the ledger's hashes of the records of this bucket. */
  hasher: RecordHasher;
  salt: Buffer;
  /** Sorted. */
  settled: BigUint64Array<ArrayBuffer>;
  sent: BigUint64Array<ArrayBuffer>;
  isFinal: boolean;
}

/** @returns undefined when the bucket has left the ledger @throws DatabaseFailure */
export async function readExportMarks(query: Query, startSeconds: number): Promise<ExportMarks | undefined> {
  const [row] = await query<{
    salted: boolean;
    salt: Buffer;
    settled: Buffer;
    sent: Buffer | null;
    is_final: boolean;
  }>(
    `select l.salted, r.salt, l.settled, e.sent, l.final_at is not null as is_final
     from record_salt r, bucket_ledger l left join bucket_export e using (bucket)
     where l.bucket = to_timestamp($1)`,
    [startSeconds],
  );
  if (!row) return undefined;
  return {
    hasher: row.salted ? saltedHasher(row.salt) : unsaltedHasher,
    salt: row.salt,
    settled: readSortedHashes(row.settled),
    sent: row.sent ? readSortedHashes(row.sent) : new BigUint64Array(),
    isFinal: row.is_final,
  };
}

/** The progress of the export of a bucket. */
interface ExportProgress {
  /** The hashes of all records accepted or rejected so far, in any order. */
  sent: BigUint64Array<ArrayBuffer>;
  /** Records rejected since the last call, and the receiver's message. */
  rejected: number;
  rejection?: string | undefined;
  /** All records of a complete response were sent. */
  isDone: boolean;
  /** The trail will not list the bucket again, and all available records were sent. */
  isChecked: boolean;
}

/** Two workers may write the same bucket; the hashes of both are kept. @throws DatabaseFailure */
export async function writeExportMarks(
  query: Query,
  startSeconds: number,
  { sent, rejected, rejection, isDone, isChecked }: ExportProgress,
): Promise<void> {
  await query(
    `insert into bucket_export as e (bucket, sent, rejected, rejection, done_at, checked_at)
     values (to_timestamp($1), $2, $3, $4, case when $5 then now() end, case when $6 then now() end)
     on conflict (bucket) do update set
       sent = case when octet_length(excluded.sent) >= octet_length(e.sent) then excluded.sent else e.sent end,
       rejected = e.rejected + excluded.rejected,
       rejection = coalesce(excluded.rejection, e.rejection),
       done_at = coalesce(e.done_at, excluded.done_at),
       checked_at = coalesce(e.checked_at, excluded.checked_at),
       large_tries = 0`,
    [startSeconds, packSorted(sent), rejected, rejection ?? null, isDone, isChecked],
  );
}

/** Records that this process loads a very large bucket; `writeExportMarks` and `endLargeTry` undo it. */
export async function beginLargeTry(query: Query, startSeconds: number): Promise<void> {
  await query(
    `insert into bucket_export as e (bucket, large_tries) values (to_timestamp($1), 1)
     on conflict (bucket) do update set large_tries = e.large_tries + 1`,
    [startSeconds],
  );
}

export async function endLargeTry(query: Query, startSeconds: number): Promise<void> {
  await query('update bucket_export set large_tries = 0 where bucket = to_timestamp($1)', [startSeconds]);
}

/** Gives up a bucket, which becomes a gap with this cause. @throws DatabaseFailure */
export async function giveUpExport(query: Query, startSeconds: number, cause: string): Promise<void> {
  await query(
    `insert into bucket_export as e (bucket, given_up) values (to_timestamp($1), $2)
     on conflict (bucket) do update set given_up = excluded.given_up`,
    [startSeconds, cause],
  );
}

/**
 * Deletes the marks of time whose gaps are decided; if the export is disabled, marks that are a week older than the newest bucket.
 * @returns the number of deleted marks
 * @throws DatabaseFailure
 */
export async function forgetExportMarks(query: Query): Promise<number> {
  const rows = await query(
    `delete from bucket_export where bucket < (select decided_until from export_state)
       or bucket < (select max(bucket) from bucket_ledger) - interval '7 days' returning 1`,
  );
  return rows.length;
}
