import type { Client, Connection } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { loadTrailNames } from '../config/cluster-config.ts';
import { jobs, type JobName } from '../config/names.ts';
import { explainNoAnswer } from '../temporal/explain-failure.ts';
import { temporalConfig } from '../temporal/settings.ts';
import { connectClient, temporalAddress, temporalNamespace } from '../temporal/connection.ts';
import { jobFailure, isJobFailure } from './job-failure.ts';

/** Every job ends by itself before this. */
const executionTimeout = '2h';
const answerTimeoutMs = 10_000;
/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const workflowTasks = 1;

/**
 * Starts a job now, beside its schedule, and waits for what it tells. An interrupt ends the waiting, not the job.
 * @throws ConfigFailure, TemporalFailure, JobFailure
 */
export async function runJob(job: JobName): Promise<unknown> {
  const config = temporalConfig();
  const [address, namespace] = [temporalAddress(config), temporalNamespace(config)];
  const { workflowType } = jobs[job];
  const { taskQueue, scheduleIds } = loadTrailNames(process.env);
  const workflowId = `${scheduleIds[job]}-by-hand-${new Date().toISOString()}`;
  const { client, connection } = await connectClient(config);
  try {
    await connection.withDeadline(Date.now() + answerTimeoutMs, () =>
      client.workflow.start(workflowType, {
        workflowId,
        taskQueue,
        args: [],
        workflowExecutionTimeout: executionTimeout,
      }),
    );
    const queueProblem = await connection.withDeadline(Date.now() + answerTimeoutMs, () =>
      noPoller(connection, namespace, taskQueue),
    );
    process.stderr.write(`flow-trail: started ${workflowId}, waiting for its result\n`);
    if (queueProblem !== undefined) process.stderr.write(`flow-trail: ${queueProblem}\n`);
    return await resultOf(client, workflowId);
  } catch (error) {
    if (isJobFailure(error)) throw error;
    throw explainNoAnswer(address, namespace, error);
  } finally {
    await connection.close();
  }
}

async function resultOf(client: Client, workflowId: string): Promise<unknown> {
  try {
    const result: unknown = await client.workflow.getHandle(workflowId).result();
    return result;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw jobFailure(error.cause?.message ?? error.message);
  }
}

/** Without a worker the job waits, and so does whoever asked for it. */
async function noPoller(
  { workflowService }: Connection,
  namespace: string,
  taskQueue: string,
): Promise<string | undefined> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: workflowTasks,
  });
  if (pollers && pollers.length > 0) return undefined;
  return `no worker takes work from the task queue ${taskQueue}: start one, or correct TEMPORAL_TASK_QUEUE; the job waits`;
}
