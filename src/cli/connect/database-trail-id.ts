import { readTrailId } from '../../trail/database/trail-id.ts';
import { withDatabase } from './with-database.ts';

/** @returns the id of the configured database's trail; undefined when no database is configured @throws DatabaseFailure */
export async function databaseTrailId(): Promise<string | undefined> {
  return isDatabaseConfigured() ? withDatabase(readTrailId) : undefined;
}

export function isDatabaseConfigured(): boolean {
  const { env } = process;
  return Boolean(env['DATABASE_URL']?.trim() || env['DATABASE_URL_FILE']?.trim());
}
