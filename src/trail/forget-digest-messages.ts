import type { Query } from './database.ts';

/**
 * Forgets the messages of digests that were done before; the digests themselves, and which edges they announced, stay.
 * A digest that is not done keeps its messages: they may still be posted.
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
