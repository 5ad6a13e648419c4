import { Command } from 'commander';
import { main } from '../worker/main.ts';

export function aggregateCommand(): Command {
  return new Command('aggregate')
    .alias('worker')
    .description(
      'runs the worker, which keeps the trail (the name of the container command that it replaces)',
    )
    .action(main);
}
