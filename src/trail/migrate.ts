import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Database } from './database.ts';

/** Any number that no one else takes: two workers that start at once wait for each other under it. */
const migrationLock = 7_443_015;

export const migrationsDir = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Brings the schema to the present version: each file of `migrations/` once, in order, in one transaction.
 * A database in which another aggregator's `edge` table stands already, with rows, is taken over (invariant 8).
 * @returns the names of the migrations that were applied now
 * @throws DatabaseFailure
 */
export function migrate(database: Database): Promise<string[]> {
  return database.withClient(async (client) => {
    // node-pg-migrate's own lock refuses instead of waiting.
    await client.query("set lock_timeout = '120s'; set statement_timeout = '120s'");
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    try {
      const applied = await runner({
        dbClient: client,
        dir: migrationsDir,
        direction: 'up',
        migrationsTable: 'flow_trail_migration',
        noLock: true,
        singleTransaction: true,
        log: () => undefined,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
      });
      return applied.map(({ name }) => name);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [migrationLock]).catch(() => undefined);
    }
  });
}
