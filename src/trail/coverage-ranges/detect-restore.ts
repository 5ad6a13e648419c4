import type { Query } from '../database/database.ts';

/** The cause of a gap between the backup and the restore. */
export const restoredCause =
  'the database was restored from a backup, or failed over to a standby that lagged behind';

/**
 * Detects that the database was replaced since coverage was last decided. The row of `trail_state` is locked.
 * @returns the time before which missing buckets were lost with the previous database, epoch seconds
 */
export async function noteRestore(query: Query, untilSeconds: number): Promise<number> {
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
