import type { Config } from '../config/config.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import { inTime } from '../temporal/time-limit.ts';
import type { Database } from '../trail/database/database.ts';
import { migrate, type MigrationProgress } from '../trail/database/migrate.ts';
import { callTimeoutMs } from './control-loop.ts';
import { expectRemnantsOf, findRemnants } from '../temporal/retire.ts';
import { readTrailClaim } from './trail-owner.ts';
import { untilItWorks, type Waiting } from './waiting.ts';
import type { WorkerProcess } from './worker-process.ts';

interface TrailToOwn {
  temporal: Temporal;
  config: Pick<Config, 'names'>;
  trailId: string;
  thisProcess: Pick<WorkerProcess, 'claim'>;
}

/** Migrates the schema. Waits while the database is unavailable, or in use by workers of another cluster. */
export async function migrateSchema(
  database: Database,
  thisProcess: Pick<WorkerProcess, 'expectNoOtherCluster'>,
  waiting: Waiting,
): Promise<void> {
  const { log } = waiting;
  const onProgress = (progress: MigrationProgress) => log.info(progress, 'Migrating the schema');
  const applied = await untilItWorks(async (signal) => {
    await thisProcess.expectNoOtherCluster();
    return migrate(database, { onProgress, signal });
  }, waiting);
  if (applied.length > 0) log.info({ migrations: applied }, 'Migrated the schema');
}

/**
 * Waits while supervisor or schedules belong to another database, or other workers use this database for another supervisor;
 * certificates and API key are read again during the wait.
 * @returns the database for the activities
 */
export function untilTrailIsOwn(
  { temporal, config, trailId, thisProcess }: TrailToOwn,
  waiting: Waiting,
): Promise<Database> {
  const { names } = config;
  return untilItWorks(async (signal) => {
    try {
      await temporal.refresh(() => undefined);
      temporal.codec.keys?.reload();
      const { client } = temporal;
      return await client.withAbortSignal(signal, () =>
        inTime(client, callTimeoutMs, async () => {
          expectRemnantsOf(trailId, await findRemnants(client, names));
          return thisProcess.claim(await readTrailClaim(client, names));
        }),
      );
    } catch (error) {
      throw await temporal.explain(error);
    }
  }, waiting);
}
