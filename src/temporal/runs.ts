import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
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
  let nextPageToken: Uint8Array | null | undefined;
  do {
    // Not the client's list: it decodes each memo, and one that cannot be decrypted would hide all runs.
    const page = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query: `WorkflowType IN (${types.join(', ')})`,
      pageSize: Math.min(limit - runs.length, 1_000),
      nextPageToken: nextPageToken ?? null,
    });
    runs.push(...(page.executions ?? []).map(toRun));
    ({ nextPageToken } = page);
  } while (runs.length < limit && nextPageToken && nextPageToken.length > 0);
  return runs.slice(0, limit);
}

type ExecutionInfo = NonNullable<
  Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>['executions']
>[number];

/** WorkflowExecutionStatus of Temporal's API, by its numbers. */
const statuses = [
  'unspecified',
  'running',
  'completed',
  'failed',
  'canceled',
  'terminated',
  'continued_as_new',
  'timed_out',
];

function toRun({ type, execution, status, startTime, closeTime }: ExecutionInfo): JobRun {
  return {
    job: jobOfType.get(type?.name ?? '') ?? 'allowlist',
    workflowId: execution?.workflowId ?? '',
    runId: execution?.runId ?? '',
    status: statuses[status ?? 0] ?? 'unspecified',
    startedAt: new Date(startTime ? tsToMs(startTime) : 0),
    closedAt: closeTime ? new Date(tsToMs(closeTime)) : undefined,
  };
}
