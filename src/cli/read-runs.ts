import { WorkflowFailedError, type Client } from '@temporalio/client';
import { isTemporalFailure } from '../temporal/failure.ts';
import { listRuns, type JobRun } from '../temporal/runs.ts';
import { withTemporal } from './connect/with-temporal.ts';

const unsuccessful = new Set(['failed', 'timed_out', 'terminated', 'canceled']);

export interface RunWithFailure extends JobRun {
  /** Why it did not succeed; undefined if it succeeded or is still running. */
  failure: string | undefined;
}

/** The newest runs of all jobs, or of one, with their failures. @throws ConfigFailure, TemporalFailure */
export function readRuns(limit: number, job?: JobRun['job']): Promise<RunWithFailure[]> {
  return withTemporal(({ client, inTime }) =>
    inTime(async () => {
      const runs = await listRuns(client, limit, job);
      const found: RunWithFailure[] = [];
      for (const run of runs)
        found.push({
          ...run,
          failure: unsuccessful.has(run.status) ? await failureOf(client, run) : undefined,
        });
      return found;
    }),
  );
}

async function failureOf(client: Client, { workflowId, runId }: JobRun): Promise<string | undefined> {
  try {
    await client.workflow.getHandle(workflowId, runId).result();
    return undefined;
  } catch (error) {
    // The failure's details cannot be decrypted, which the message says.
    if (isTemporalFailure(error)) return error.message;
    if (!(error instanceof WorkflowFailedError)) throw error;
    return error.cause?.message ?? error.message;
  }
}
