import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { note, print } from './output/output.ts';
import type { Database } from '../trail/database/database.ts';
import type { MigrationProgress } from '../trail/database/migrate.ts';
import { withOpenDatabase } from './connect/with-database.ts';

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Create the tables or bring them up to date; a worker also does this when it starts.')
    .addHelpText(
      'after',
      '\nWith CLUSTER_NAME, it changes nothing while workers of another cluster use the database.\n\nExample:\n  flow-trail migrate',
    )
    .action(async () => {
      const { migrate } = await import('../trail/database/migrate.ts');
      const onProgress = ({ migration, seconds }: MigrationProgress) => note(`${migration}, ${seconds} s`);
      const applied = await withOpenDatabase(
        async (database) => {
          await expectOwnCluster(database);
          return migrate(database, { onProgress });
        },
        // After a cluster was renamed, its database has the former name until a worker starts.
        { cluster: '' },
      );
      print(applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`);
    });
}

/** Workers of another cluster may be of an older version, which the new schema would stop. @throws DatabaseFailure */
async function expectOwnCluster({ query }: Database): Promise<void> {
  const cluster = process.env['CLUSTER_NAME']?.trim() ?? '';
  if (cluster === '') return;
  const { untilNoOtherCluster } = await import('../trail/database/trail-claim.ts');
  const { trailNames } = await import('../config/temporal-names.ts');
  const clock = { elapsedMs: () => performance.now(), sleep: (ms: number) => delay(ms) };
  await untilNoOtherCluster(query, trailNames(cluster).supervisorId, clock, (reason) =>
    note(`${reason}; waiting for up to 75 s, in case it has ended`),
  );
}
