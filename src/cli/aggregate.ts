import { Command } from 'commander';

export function aggregateCommand(): Command {
  return new Command('aggregate')
    .description(
      'Run the worker: it reads Goldmane, writes to the database and runs the scheduled jobs. The name aggregate is compatible with goldmane-edge-aggregator.',
    )
    .action(async () => {
      const { main } = await import('../worker/main.ts');
      await main();
    });
}
