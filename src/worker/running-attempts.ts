import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { ActivityNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { AttemptId } from '../ingest/deps.ts';

/** PENDING_ACTIVITY_STATE_STARTED and PENDING_ACTIVITY_STATE_CANCEL_REQUESTED of Temporal's API. */
const started = 2;
const cancelRequested = 3;

/**
 * The activity attempts that run in this process, compared with those that Temporal believes to run here. Temporal itself
 * learns of a lost attempt, and an attempt of its cancellation, only by heartbeats, which are minutes apart because each is
 * billed.
 */
export class RunningAttempts {
  readonly #asked = new Map<string, AbortController>();
  readonly #identity: string;
  readonly #startedAtMs: number;
  /** Attempts that were missing at the last check. */
  #missing = new Set<string>();

  /** @param startedAtMs when this process began, milliseconds of the system's clock */
  constructor(identity: string, startedAtMs = Date.now()) {
    this.#identity = identity;
    this.#startedAtMs = startedAtMs;
  }

  readonly interceptor: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        const key = keyOf(info);
        this.#asked.set(key, new AbortController());
        try {
          return await next(input);
        } finally {
          this.#asked.delete(key);
        }
      },
    },
  });

  /** @returns the signal that aborts when the attempt is asked to end; undefined when it does not run here */
  askedToEnd(attempt: AttemptId): AbortSignal | undefined {
    return this.#asked.get(keyOf(attempt))?.signal;
  }

  /**
   * Asks attempts to end whose cancellation the workflow requested. Fails attempts that a former process with this
   * identity (a container that was restarted) left behind, so that Temporal starts the next ones now.
   * @returns the activity types whose attempts were lost
   * @throws whatever the client throws when Temporal does not answer
   */
  async check(client: Client, { raw, workflowId, runId }: WorkflowExecutionDescription): Promise<string[]> {
    const missing = new Set<string>();
    const lost: string[] = [];
    for (const pending of raw.pendingActivities ?? []) {
      const { activityId, attempt, lastWorkerIdentity, lastStartedTime } = pending;
      const state = Number(pending.state);
      if (!activityId || lastWorkerIdentity !== this.#identity) continue;
      if (state !== started && state !== cancelRequested) continue;
      const id = { activityId, workflowExecution: { workflowId, runId } };
      const here = this.#asked.get(keyOf(id));
      if (state === cancelRequested) here?.abort(new Error('the workflow requested the cancellation'));
      // Another process may have the same identity; what it started since is not ours to judge.
      const isOlder = lastStartedTime != null && tsToMs(lastStartedTime) < this.#startedAtMs;
      if (here || !isOlder) continue;
      const key = `${keyOf(id)} ${attempt}`;
      missing.add(key);
      // Temporal may have started it a moment ago, on its way to this process and by a clock that is behind.
      if (!this.#missing.has(key)) continue;
      await fail(client, { workflowId, runId, activityId });
      lost.push(pending.activityType?.name ?? activityId);
    }
    this.#missing = missing;
    return lost;
  }
}

async function fail(
  client: Client,
  activity: { workflowId: string; runId: string; activityId: string },
): Promise<void> {
  try {
    await client.activity.fail(
      activity,
      ApplicationFailure.create({
        type: 'worker_restarted',
        message: 'The worker ended without reporting, and was started again',
      }),
    );
  } catch (error) {
    // It timed out, or another check was faster.
    if (!(error instanceof ActivityNotFoundError || error instanceof WorkflowNotFoundError)) throw error;
  }
}

function keyOf({ activityId, workflowExecution }: AttemptId): string {
  return `${workflowExecution?.runId} ${activityId}`;
}
