import type { JobName } from '../config/temporal-names.ts';
import { note, printJson } from './output/output.ts';
import { runJob } from './run-job.ts';
import { jobResultSchemas } from './schemas/jobs.ts';

/** Runs a job and prints its result, in the shape of docs/schemas/run-JOB.json. @throws what `runJob` throws */
export async function runAndPrint(job: JobName): Promise<void> {
  const result = await runJob(job);
  // It comes from the worker that ran the job.
  if (!jobResultSchemas[job].safeParse(result).success)
    note(`the worker has a different version: its result does not match docs/schemas/run-${job}.json`);
  printJson(result);
}
