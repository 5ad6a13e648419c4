import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { jobs } from '../../src/names.ts';
import { digestScenarios } from './digest-scenarios.ts';
import type { JobScenario } from './job-scenario.ts';
import { watchScenarios } from './watch-scenarios.ts';

/** The shapes of history that the scheduled jobs leave. */
export const jobScenarios: readonly JobScenario[] = [...digestScenarios, ...watchScenarios];

/** Starts the job, and waits until it has ended, well or not. */
export async function runScenario(
  client: Client,
  taskQueue: string,
  { job }: JobScenario,
): Promise<WorkflowHandle> {
  const handle = await client.workflow.start(jobs[job].workflowType, {
    workflowId: `${jobs[job].scheduleId}-${randomUUID()}`,
    taskQueue,
    args: [],
  });
  await handle.result().catch(() => undefined);
  return handle;
}
