import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { Failure } from '../failure/failure.ts';
import { loadTrailNames } from '../config/cluster-config.ts';
import { jobs, type JobName, trailIdField } from '../config/temporal-names.ts';
import { jobTexts } from '../temporal/job-texts.ts';
import { describeWorkflow } from '../temporal/describe-workflow.ts';
import { wrongTrail } from '../temporal/failure.ts';
import { isOpen } from '../temporal/open-run.ts';
import { trailIdIn } from '../temporal/trail-memo.ts';
import { databaseTrailId } from './connect/database-trail-id.ts';
import { note } from './output/output.ts';
import { withTemporal } from './connect/with-temporal.ts';

/** Every job has its own, shorter limit. */
const executionTimeout = '2h';
/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const workflowTasks = 1;

/**
 * Starts a job now, in addition to its schedule, and waits for its result. An interrupt ends the waiting, not the job. The
 * run includes the trail id, so that the worker of another database rejects it.
 * @throws ConfigFailure, DatabaseFailure, JobFailure, TemporalFailure (`wrong_trail` when the supervisor belongs to a database
 * other than that of DATABASE_URL)
 */
export async function runJob(job: JobName): Promise<unknown> {
  const { workflowType } = jobs[job];
  const { summary, details } = jobTexts[job];
  const { taskQueue, scheduleIds, supervisorId } = loadTrailNames(process.env);
  const workflowId = `${scheduleIds[job]}-by-hand-${new Date().toISOString()}`;
  // Without a database, the names in Temporal identify the installation.
  const trailId = await databaseTrailId();
  return withTemporal(async ({ client, inTime }) => {
    const owner = await inTime(() => supervisorTrailId(client, supervisorId));
    if (trailId !== undefined && owner !== undefined && owner !== trailId)
      throw wrongTrail(supervisorId, owner, trailId);
    const expected = trailId ?? owner;
    await inTime(() =>
      client.workflow.start(workflowType, {
        workflowId,
        taskQueue,
        args: [],
        ...(expected === undefined ? {} : { memo: { [trailIdField]: expected } }),
        workflowExecutionTimeout: executionTimeout,
        staticSummary: `${summary} (started by hand)`,
        staticDetails: details,
      }),
    );
    const queueProblem = await inTime(() => noPoller(client, taskQueue));
    note(`started ${workflowId}, waiting for its result`);
    if (queueProblem !== undefined) note(queueProblem);
    return resultOf(client, workflowId);
  });
}

/** @returns undefined when there is no supervisor, or an older version started it */
async function supervisorTrailId(client: Client, supervisorId: string): Promise<string | undefined> {
  const description = await describeWorkflow(client, supervisorId);
  return description && isOpen(description) ? trailIdIn(description.memo) : undefined;
}

async function resultOf(client: Client, workflowId: string): Promise<unknown> {
  try {
    const result: unknown = await client.workflow.getHandle(workflowId).result();
    return result;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const what = error.cause?.message ?? error.message;
    throw new Failure({ system: 'job', kind: 'failed', what, cure: '', retryable: false });
  }
}

/** Without a worker, both the job and this command would wait. */
async function noPoller(client: Client, taskQueue: string): Promise<string | undefined> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: workflowTasks,
  });
  if (pollers && pollers.length > 0) return undefined;
  return `no worker is polling the task queue ${taskQueue}; the job waits until one does. Start a worker, or correct TEMPORAL_TASK_QUEUE`;
}
