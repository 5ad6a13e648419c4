import { missingRow } from './database-failure.ts';
import type { Query } from './database.ts';

/** @returns the random id of this database's trail @throws DatabaseFailure */
export async function readTrailId(query: Query): Promise<string> {
  const [row] = await query<{ trail_id: string }>('select trail_id from trail_state');
  if (!row) throw missingRow('trail_state');
  return row.trail_id;
}
