import type { DatabaseConfig } from '../config/database-config.ts';
import type { Database, Query } from '../trail/database.ts';

/**
 * Runs read-only queries on the database of DATABASE_URL or DATABASE_URL_FILE.
 * @throws ConfigFailure, DatabaseFailure
 */
export function withDatabase<Result>(ask: (query: Query) => Promise<Result>): Promise<Result> {
  return withOpenDatabase(({ query }) => ask(query), { isReadOnly: true });
}

/** The same for work that needs more than single statements. @throws ConfigFailure, DatabaseFailure */
export async function withOpenDatabase<Result>(
  work: (database: Database) => Promise<Result>,
  options: { isReadOnly?: boolean } = {},
): Promise<Result> {
  const { loadDatabaseConfig } = await import('../config/database-config.ts');
  return withDatabaseOf(loadDatabaseConfig(process.env), work, options);
}

/** The same for a given database. @throws DatabaseFailure */
export async function withDatabaseOf<Result>(
  config: DatabaseConfig,
  work: (database: Database) => Promise<Result>,
  options: { isReadOnly?: boolean } = {},
): Promise<Result> {
  const { openDatabase } = await import('../trail/database.ts');
  const database = openDatabase(config, options);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
