import { Argument, Command } from 'commander';
import { jobNames, type JobName } from '../config/temporal-names.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('Run a job now, in addition to its schedule, wait for it, and print its result as JSON.')
    .addArgument(new Argument('<job>', 'the job').choices(jobNames))
    .addHelpText('after', '\nExample:\n  flow-trail run completeness')
    .action(async (job: JobName) => {
      const { runAndPrint } = await import('./job-result.ts');
      await runAndPrint(job);
    });
}
