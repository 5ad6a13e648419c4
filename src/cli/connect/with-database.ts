import type { DatabaseConfig } from '../../config/database-config.ts';
import type { DatabaseFailureKind } from '../../trail/database/database-failure.ts';
import type { Database, Query } from '../../trail/database/database.ts';

/** The tables are missing, or this role may not read them. */
const withoutTables: ReadonlySet<DatabaseFailureKind> = new Set(['no_schema', 'damaged', 'no_permission']);

interface DatabaseOptions {
  isReadOnly?: boolean;
  /** Whose database it must be; default: CLUSTER_NAME. Empty: any. */
  cluster?: string;
}

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
  options: DatabaseOptions = {},
): Promise<Result> {
  const { loadDatabaseConfig } = await import('../../config/database-config.ts');
  return withDatabaseOf(loadDatabaseConfig(process.env), work, options);
}

/**
 * The same for a given database.
 * @throws DatabaseFailure, `wrong_cluster` when the workers of the database have another CLUSTER_NAME
 */
export async function withDatabaseOf<Result>(
  config: DatabaseConfig,
  work: (database: Database) => Promise<Result>,
  { cluster = process.env['CLUSTER_NAME']?.trim() ?? '', ...options }: DatabaseOptions = {},
): Promise<Result> {
  const { openDatabase } = await import('../../trail/database/database.ts');
  const database = openDatabase(config, options);
  try {
    if (cluster !== '') await expectCluster(database.query, cluster);
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Otherwise, data or policies of one cluster could be mistaken for those of another. */
async function expectCluster(query: Query, cluster: string): Promise<void> {
  const { readClaimedSupervisor, wrongCluster } = await import('../../trail/database/trail-claim.ts');
  const { isDatabaseFailure } = await import('../../trail/database/database-failure.ts');
  const { trailNames } = await import('../../config/temporal-names.ts');
  const { supervisorId } = trailNames(cluster);
  const claimed = await readClaimedSupervisor(query).catch((error: unknown) => {
    // The command reports what is wrong with the tables; `migrate` creates them.
    if (isDatabaseFailure(error) && withoutTables.has(error.kind)) return undefined;
    throw error;
  });
  if (claimed !== undefined && claimed !== supervisorId) throw wrongCluster(supervisorId, claimed);
}
