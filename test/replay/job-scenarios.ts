import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { digestScenarios } from './digest-scenarios.ts';
import { workflowTypeOf, type JobScenario } from './job-scenario.ts';
import { reportScenarios } from './report-scenarios.ts';
import { watchScenarios } from './watch-scenarios.ts';

/** The shapes of history of all jobs. */
export const jobScenarios: readonly JobScenario[] = [
  ...digestScenarios,
  ...watchScenarios,
  ...reportScenarios,
];

/** Starts the job and waits until it has completed or failed. */
export async function runScenario(
  client: Client,
  taskQueue: string,
  { job, args = [] }: JobScenario,
): Promise<WorkflowHandle> {
  const handle = await client.workflow.start(workflowTypeOf(job), {
    workflowId: `${job}-${randomUUID()}`,
    taskQueue,
    args: [...args],
  });
  await handle.result().catch(() => undefined);
  return handle;
}
