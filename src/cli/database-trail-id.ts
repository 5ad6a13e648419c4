import { readTrailId } from '../trail/trail-id.ts';
import { withOpenDatabase } from './with-database.ts';

/**
 * @param options `ofAnyCluster`: also if the workers of the database have another CLUSTER_NAME, for example after a rename
 * @returns the id of the configured database's trail; undefined when no database is configured
 * @throws DatabaseFailure
 */
export async function databaseTrailId({ ofAnyCluster = false } = {}): Promise<string | undefined> {
  const { env } = process;
  if (!env['DATABASE_URL']?.trim() && !env['DATABASE_URL_FILE']?.trim()) return undefined;
  return withOpenDatabase(({ query }) => readTrailId(query), {
    isReadOnly: true,
    ...(ofAnyCluster ? { cluster: '' } : {}),
  });
}
