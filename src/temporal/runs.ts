import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { jobs, type JobName } from '../config/names.ts';

/** A run of a job in Temporal, newest first in lists. */
export interface JobRun {
  job: JobName | 'allowlist';
  workflowId: string;
  runId: string;
  /** Temporal's status in lower case: `running`, `completed`, `failed`, `timed_out`, `canceled`, `terminated`. */
  status: string;
  startedAt: Date;
  closedAt: Date | undefined;
}

const jobOfType = new Map<string, JobRun['job']>([
  ...Object.entries(jobs).map(([name, { workflowType }]): [string, JobRun['job']] => [
    workflowType,
    nameOf(name),
  ]),
  ['deriveAllowlist', 'allowlist'],
]);

function nameOf(text: string): JobRun['job'] {
  return Object.keys(jobs).find((name): name is JobName => name === text) ?? 'allowlist';
}

/**
 * The newest runs of all jobs, or of one. Temporal returns them newest first, and keeps them as long as its namespace's
 * retention says. @throws the client's errors
 */
export async function listRuns(client: Client, limit: number, job?: JobRun['job']): Promise<JobRun[]> {
  const types = [...jobOfType].flatMap(([type, name]) =>
    job === undefined || job === name ? [`'${type}'`] : [],
  );
  const runs: JobRun[] = [];
  for await (const info of client.workflow.list({
    query: `WorkflowType IN (${types.join(', ')})`,
    pageSize: Math.min(limit, 1_000),
  })) {
    runs.push(toRun(info));
    if (runs.length >= limit) break;
  }
  return runs;
}

function toRun({ type, workflowId, runId, status, startTime, closeTime }: WorkflowExecutionInfo): JobRun {
  return {
    job: jobOfType.get(type) ?? 'allowlist',
    workflowId,
    runId,
    status: status.name.toLowerCase(),
    startedAt: startTime,
    closedAt: closeTime,
  };
}
