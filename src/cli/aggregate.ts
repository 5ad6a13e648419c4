import { Command } from 'commander';

export function aggregateCommand(): Command {
  return new Command('aggregate')
    .description(
      'Run the worker: it reads Goldmane, writes to the database and runs the scheduled jobs. The name aggregate is compatible with goldmane-edge-aggregator.',
    )
    .addHelpText(
      'after',
      `
Settings are environment variables (docs/configuration.md). Only DATABASE_URL has
no default.

Example:
  flow-trail aggregate`,
    )
    .action(async () => {
      const { main } = await import('../worker/main.ts');
      await main();
    });
}
