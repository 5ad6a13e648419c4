import type { Query } from '../trail/database.ts';

/** Runs queries on the database of DATABASE_URL or DATABASE_URL_FILE. @throws ConfigFailure, DatabaseFailure */
export async function withDatabase<Result>(ask: (query: Query) => Promise<Result>): Promise<Result> {
  const { loadDatabaseConfig } = await import('../config/config.ts');
  const { openDatabase } = await import('../trail/database.ts');
  const database = openDatabase(loadDatabaseConfig(process.env));
  try {
    return await ask(database.query);
  } finally {
    await database.close();
  }
}
