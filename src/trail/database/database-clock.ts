import type { Query } from './database.ts';

/**
 * How far this machine's clock is ahead of the database's, milliseconds; negative if it is behind. Exact to half the
 * duration of the query.
 * @throws DatabaseFailure
 */
export async function readClockAhead(query: Query): Promise<number> {
  const beforeMs = Date.now();
  const [row] = await query<{ at: Date }>('select clock_timestamp() as at');
  const afterMs = Date.now();
  return row ? (beforeMs + afterMs) / 2 - row.at.getTime() : 0;
}
