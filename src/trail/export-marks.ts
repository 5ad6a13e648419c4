import type { Query } from './database.ts';
import { packSorted, readSortedHashes } from './sorted-hashes.ts';
import { saltedHasher, unsaltedHasher, type RecordHasher } from './record-hash.ts';

/** A settled bucket that may have records that were not exported. */
export interface ExportBucket {
  startSeconds: number;
  /** Records that the trail counted in facts; an answer of `List` may have a few more. */
  records: number;
  /** `listed`: it was exported once, and is only compared with what the trail's last listing added. */
  stage: 'new' | 'listed';
  /** Processes that began to export it, while it was very large, and did not end that. */
  largeTries: number;
}

/**
 * The settled buckets that are to be exported, oldest first: those that were not, and those that the trail listed for the last
 * time since. Buckets whose coverage is decided have left Goldmane's ring. @throws DatabaseFailure
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

/** What identifies the records of a bucket, and which of them are settled or were sent. */
export interface ExportMarks {
  /** As the ledger hashes the records of this bucket. */
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

/** How far the export of a bucket has come. */
interface ExportProgress {
  /** All hashes of records that were accepted or rejected so far, in any order. */
  sent: BigUint64Array<ArrayBuffer>;
  /** Records rejected since the last call, and what the receiver said. */
  rejected: number;
  rejection?: string | undefined;
  /** A whole answer was sent. */
  isDone: boolean;
  /** The trail lists the bucket no more, and nothing that is still to be had is missing. */
  isChecked: boolean;
}

/** Two workers may write the same bucket; what one of them sent is not unlearned. @throws DatabaseFailure */
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

/** Writes down that this process takes a very large bucket into its memory; `writeExportMarks` and `endLargeTry` undo it. */
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

/** The bucket is not exported any more, and is a gap with this cause. @throws DatabaseFailure */
export async function giveUpExport(query: Query, startSeconds: number, cause: string): Promise<void> {
  await query(
    `insert into bucket_export as e (bucket, given_up) values (to_timestamp($1), $2)
     on conflict (bucket) do update set given_up = excluded.given_up`,
    [startSeconds, cause],
  );
}

/**
 * Deletes marks of time whose gaps are decided; where nothing exports any more, those that lie a week behind the newest bucket.
 * @returns how many
 * @throws DatabaseFailure
 */
export async function forgetExportMarks(query: Query): Promise<number> {
  const rows = await query(
    `delete from bucket_export where bucket < (select decided_until from export_state)
       or bucket < (select max(bucket) from bucket_ledger) - interval '7 days' returning 1`,
  );
  return rows.length;
}
