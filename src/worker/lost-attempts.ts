import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { ActivityNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';

/** PENDING_ACTIVITY_STATE_STARTED and PENDING_ACTIVITY_STATE_CANCEL_REQUESTED of Temporal's API. */
const started = 2;
const cancelRequested = 3;

export type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Whether a worker has the activity, according to Temporal. */
export function isStarted(pending: PendingActivity): boolean {
  return Number(pending.state) === started || isCancelRequested(pending);
}

export function isCancelRequested({ state }: PendingActivity): boolean {
  return Number(state) === cancelRequested;
}

/**
 * Fails the attempts that Temporal lists as running in lost workers.
 * @returns the activity types
 * @throws whatever the client throws
 */
export async function failAttemptsOf(
  client: Client,
  { raw, workflowId, runId }: WorkflowExecutionDescription,
  lostWorkers: ReadonlySet<string>,
): Promise<string[]> {
  const failed: string[] = [];
  for (const pending of raw.pendingActivities ?? []) {
    const { activityId, lastWorkerIdentity } = pending;
    if (!activityId || !lastWorkerIdentity || !lostWorkers.has(lastWorkerIdentity) || !isStarted(pending))
      continue;
    await failAttempt(
      client,
      { workflowId, runId, activityId },
      {
        type: 'worker_lost',
        message: `The worker ${lastWorkerIdentity} was lost: it no longer renews its row in the database`,
      },
    );
    failed.push(pending.activityType?.name ?? activityId);
  }
  return failed;
}

/** Reports an attempt as failed on behalf of the worker that ran it. @throws whatever the client throws */
export async function failAttempt(
  client: Client,
  activity: { workflowId: string; runId: string; activityId: string },
  failure: { type: string; message: string },
): Promise<void> {
  try {
    await client.activity.fail(activity, ApplicationFailure.create(failure));
  } catch (error) {
    // It timed out, or another worker was faster.
    if (!(error instanceof ActivityNotFoundError || error instanceof WorkflowNotFoundError)) throw error;
  }
}
