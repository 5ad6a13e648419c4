import type { Query } from '../database/database.ts';
import { settleAgeSeconds } from './due-buckets.ts';

/** Buckets are settled once a minute, and merging takes a moment; a bucket settled later than this was waiting. */
const lateSeconds = settleAgeSeconds + 4 * 60;
/** If nothing was settled for this long, settling has stopped or nothing is due. */
const recentSeconds = 60;

/**
 * Whether settling works through a backlog: the newest bucket that was settled within the last minute was settled late.
 * @throws DatabaseFailure
 */
export async function isCatchingUp(query: Query, nowSeconds: number): Promise<boolean> {
  const [last] = await query<{ age: number }>(
    `select extract(epoch from settled_at - bucket)::float8 as age from bucket_ledger
     where settled_at between to_timestamp($1) and to_timestamp($2) order by settled_at desc, bucket desc limit 1`,
    [nowSeconds - recentSeconds, nowSeconds],
  );
  return last !== undefined && last.age > lateSeconds;
}
