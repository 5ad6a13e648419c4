import type { Config } from '../config/config.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import { inTime } from '../temporal/time-limit.ts';
import type { Database } from '../trail/database.ts';
import { migrate, type MigrationProgress } from '../trail/migrate.ts';
import { callTimeoutMs } from './control-loop.ts';
import { checkTrailOwner } from './trail-owner.ts';
import { untilItWorks, type Waiting } from './waiting.ts';

/** Migrates the schema. Waits while the database is unavailable. */
export async function migrateSchema(database: Database, waiting: Waiting): Promise<void> {
  const { log, signal } = waiting;
  const onProgress = (progress: MigrationProgress) => log.info(progress, 'Migrating the schema');
  const applied = await untilItWorks(() => migrate(database, { onProgress, signal }), waiting);
  if (applied.length > 0) log.info({ migrations: applied }, 'Migrated the schema');
}

/**
 * Waits while supervisor or schedules belong to another database; certificates and API key are read again during the wait.
 */
export function untilTrailIsOwn(
  temporal: Temporal,
  { names }: Config,
  trailId: string,
  waiting: Waiting,
): Promise<void> {
  return untilItWorks(async () => {
    try {
      await temporal.refresh(() => undefined);
      temporal.codec.keys?.reload();
      const { client } = temporal;
      await client.withAbortSignal(waiting.signal, () =>
        inTime(client, callTimeoutMs, () => checkTrailOwner(client, names, trailId)),
      );
    } catch (error) {
      throw await temporal.explain(error);
    }
  }, waiting);
}
