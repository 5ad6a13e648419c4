import type { Query } from '../database/database.ts';

/** Rows of buckets that have left Goldmane's ring are no longer needed. */
const keepHours = 2;

/** A process that lists buckets: its id and its heap limit. */
export interface ListingProcess {
  readonly id: string;
  readonly heapLimitBytes: number;
}

/** Records that the bucket is about to be listed. @throws DatabaseFailure */
export async function beginListing(
  query: Query,
  startSeconds: number,
  { id, heapLimitBytes }: ListingProcess,
): Promise<void> {
  await query(
    `insert into bucket_listing (bucket, process, heap_limit_bytes) values (to_timestamp($1), $2, $3)
     on conflict do nothing`,
    [startSeconds, id, heapLimitBytes],
  );
}

/**
 * The process no longer has these buckets in memory. Buckets that were `merged` did not kill a process, so rows of
 * other processes are deleted too.
 * @throws DatabaseFailure
 */
export async function endListings(
  query: Query,
  buckets: { merged: readonly number[]; givenUp: readonly number[] },
  { id }: ListingProcess,
): Promise<void> {
  if (buckets.merged.length + buckets.givenUp.length === 0) return;
  await query(
    `delete from bucket_listing
     where bucket = any (select to_timestamp(s) from unnest($1::bigint[]) s)
       or process = $3 and bucket = any (select to_timestamp(s) from unnest($2::bigint[]) s)`,
    [buckets.merged, buckets.givenUp, id],
  );
}

/**
 * Deletes rows that this process could not delete while the database was unavailable, and rows that are too old to
 * matter.
 * @throws DatabaseFailure
 */
export async function clearListings(query: Query, { id }: ListingProcess): Promise<void> {
  await query(
    'delete from bucket_listing where process = $1 or begun_at < now() - make_interval(hours => $2)',
    [id, keepHours],
  );
}

/**
 * The number of processes with at least as much heap that ended with a bucket in memory, by the start of the bucket.
 * @throws DatabaseFailure
 */
export async function readLostListings(
  query: Query,
  { id, heapLimitBytes }: ListingProcess,
): Promise<Map<number, number>> {
  const rows = await query<{ start_seconds: number; lost: number }>(
    `select extract(epoch from bucket)::float8 as start_seconds, count(*)::int as lost from bucket_listing
     where process <> $1 and heap_limit_bytes >= $2 group by 1`,
    [id, heapLimitBytes],
  );
  return new Map(rows.map(({ start_seconds, lost }) => [start_seconds, lost]));
}
