import { readTrailId } from '../trail/trail-id.ts';
import { withDatabase } from './with-database.ts';

/** @returns the id of the configured database's trail; undefined when no database is configured @throws DatabaseFailure */
export async function databaseTrailId(): Promise<string | undefined> {
  const { env } = process;
  if (!env['DATABASE_URL']?.trim() && !env['DATABASE_URL_FILE']?.trim()) return undefined;
  return withDatabase(readTrailId);
}
