import type { Database, Query } from '../trail/database.ts';

/** Runs queries on the database of DATABASE_URL or DATABASE_URL_FILE. @throws ConfigFailure, DatabaseFailure */
export function withDatabase<Result>(ask: (query: Query) => Promise<Result>): Promise<Result> {
  return withOpenDatabase(({ query }) => ask(query));
}

/** The same for what needs more than single statements. @throws ConfigFailure, DatabaseFailure */
export async function withOpenDatabase<Result>(
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const { loadDatabaseConfig } = await import('../config/database-config.ts');
  const { openDatabase } = await import('../trail/database.ts');
  const database = openDatabase(loadDatabaseConfig(process.env));
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
