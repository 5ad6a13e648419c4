import { Argument, Command } from 'commander';
import { jobNames, type JobName } from '../names.ts';
import { printJson } from './output.ts';
import { runJob } from './run-job.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('runs one of the scheduled jobs now, beside its schedule, and prints what it tells')
    .addArgument(new Argument('<job>', 'which one').choices(jobNames))
    .action(async (job: JobName) => printJson(await runJob(job)));
}
