import { Command } from 'commander';

export function aggregateCommand(): Command {
  return new Command('aggregate')
    .alias('worker')
    .description(
      'runs the worker, which keeps the trail (the name of the container command that it replaces)',
    )
    .action(async () => {
      const { main } = await import('../worker/main.ts');
      await main();
    });
}
