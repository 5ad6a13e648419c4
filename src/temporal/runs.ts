import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { jobs, type JobName } from '../config/temporal-names.ts';
import { groupBy } from '../text/order.ts';

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
 * The newest runs of all jobs, or of one. Temporal returns them newest first and keeps them for the retention time of
 * its namespace.
 * @throws the client's errors
 */
export async function listRuns(client: Client, limit: number, job?: JobRun['job']): Promise<JobRun[]> {
  const types = [...jobOfType].flatMap(([type, name]) =>
    job === undefined || job === name ? [`'${type}'`] : [],
  );
  return findRuns(client, `WorkflowType IN (${types.join(', ')})`, limit);
}

async function findRuns(client: Client, query: string, limit: number): Promise<JobRun[]> {
  const runs: JobRun[] = [];
  let nextPageToken: Uint8Array | null | undefined;
  do {
    // Does not use the client's `list`, which decodes each memo: one that cannot be decrypted would fail the whole list.
    const page = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
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

/** A job that runs every five minutes has 288 runs a day. */
const maxFailedRuns = 1_000;

/**
 * The number of failed or timed-out runs of each scheduled job since a time and after its last completed run. Jobs
 * without such runs are omitted.
 * @throws the client's errors
 */
export async function countFailedRuns(
  client: Client,
  taskQueue: string,
  sinceMs: number,
): Promise<Map<JobName, number>> {
  const types = Object.values(jobs).map(({ workflowType }) => `'${workflowType}'`);
  const closed = `TaskQueue = '${taskQueue}' AND CloseTime > '${new Date(sinceMs).toISOString()}'`;
  const failed = `${closed} AND WorkflowType IN (${types.join(', ')}) AND ExecutionStatus IN ('Failed', 'TimedOut')`;
  const byJob = groupBy(await findRuns(client, failed, maxFailedRuns), ({ job }) => job);
  const counts = new Map<JobName, number>();
  for (const [job, runs] of byJob) {
    if (job === 'allowlist') continue;
    const completed = `${closed} AND WorkflowType = '${jobs[job].workflowType}' AND ExecutionStatus = 'Completed'`;
    const [last] = await findRuns(client, completed, 1);
    const completedAt = last?.closedAt;
    const since = completedAt?.getTime() ?? 0;
    const count = runs.filter(({ closedAt }) => closedAt !== undefined && closedAt.getTime() > since).length;
    if (count > 0) counts.set(job, count);
  }
  return counts;
}
