import { Command } from 'commander';
import { note, print } from './output/output.ts';
import type { MigrationProgress } from '../trail/database/migrate.ts';
import { withOpenDatabase } from './connect/with-database.ts';

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Create the tables or bring them up to date; a worker also does this when it starts.')
    .addHelpText('after', '\nExample:\n  flow-trail migrate')
    .action(async () => {
      const { migrate } = await import('../trail/database/migrate.ts');
      const onProgress = ({ migration, seconds }: MigrationProgress) => note(`${migration}, ${seconds} s`);
      const applied = await withOpenDatabase((database) => migrate(database, { onProgress }));
      print(applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`);
    });
}
