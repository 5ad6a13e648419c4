import { Argument, Command } from 'commander';
import { jobNames, type JobName } from '../config/names.ts';
import { printJson } from './output.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('runs one of the scheduled jobs now, beside its schedule, and prints what it tells')
    .addArgument(new Argument('<job>', 'which one').choices(jobNames))
    .action(async (job: JobName) => {
      const { runJob } = await import('./run-job.ts');
      printJson(await runJob(job));
    });
}
