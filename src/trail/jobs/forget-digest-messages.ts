import type { Query } from '../database/database.ts';

/**
 * Deletes the messages of digests that were finished before; the digests and their announcements stay. An unfinished digest keeps
 * its messages, which may still be posted.
 * @throws DatabaseFailure
 */
export async function forgetDigestMessages(query: Query, beforeSeconds: number): Promise<number> {
  const rows = await query(
    `delete from digest_message m using digest d
     where d.digest_id = m.digest_id and d.done_at < to_timestamp($1) returning 1`,
    [beforeSeconds],
  );
  return rows.length;
}
