import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { ActivityNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { AttemptId } from '../ingest/deps.ts';
import { pause } from './waiting.ts';

/** PENDING_ACTIVITY_STATE_STARTED and PENDING_ACTIVITY_STATE_CANCEL_REQUESTED of Temporal's API. */
const started = 2;
const cancelRequested = 3;

const endingLimitMs = 5_000;

interface RunningAttempt {
  ending: AbortController;
  ended: Promise<void>;
  workflowId?: string;
  runId?: string;
}

/**
 * The activity attempts that run in this process, compared with those that Temporal lists as running here. Otherwise,
 * Temporal would detect a lost attempt, and an attempt its cancellation, only by heartbeats, which are minutes apart
 * because each is billed.
 */
export class RunningAttempts {
  readonly #running = new Map<string, RunningAttempt>();
  readonly #identity: string;
  readonly #startedAtMs: number;
  /** Attempts that were missing at the last check. */
  #missing = new Set<string>();

  /** @param startedAtMs when this process started, milliseconds by the system clock */
  constructor(identity: string, startedAtMs = Date.now()) {
    this.#identity = identity;
    this.#startedAtMs = startedAtMs;
  }

  readonly interceptor: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        const key = keyOf(info);
        let hasEnded = () => {};
        const ended = new Promise<void>((resolve) => {
          hasEnded = resolve;
        });
        this.#running.set(key, { ending: new AbortController(), ended, ...info.workflowExecution });
        try {
          return await next(input);
        } finally {
          this.#running.delete(key);
          hasEnded();
        }
      },
    },
  });

  /** @returns the signal that aborts when the attempt is asked to end; undefined when it does not run here */
  askedToEnd(attempt: AttemptId): AbortSignal | undefined {
    return this.#running.get(keyOf(attempt))?.ending.signal;
  }

  /** Asks all attempts in this process to end, and waits for them for a few seconds at most. */
  async endAll(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { ending } of running) ending.abort(new Error('the worker is shutting down'));
    const limit = new AbortController();
    await Promise.race([Promise.all(running.map(({ ended }) => ended)), pause(endingLimitMs, limit.signal)]);
    limit.abort();
  }

  /**
   * Asks attempts to end if the workflow requested their cancellation or if they belong to its former runs. Fails
   * attempts that a previous process with this identity (a restarted container) left behind, so that Temporal starts
   * new ones at once.
   * @returns the activity types whose attempts were lost
   * @throws whatever the client throws when Temporal does not answer
   */
  async check(client: Client, { raw, workflowId, runId }: WorkflowExecutionDescription): Promise<string[]> {
    this.#askToEnd(workflowId, runId);
    const missing = new Set<string>();
    const lost: string[] = [];
    for (const pending of raw.pendingActivities ?? []) {
      const { activityId, attempt, lastWorkerIdentity, lastStartedTime } = pending;
      const state = Number(pending.state);
      if (!activityId || lastWorkerIdentity !== this.#identity) continue;
      if (state !== started && state !== cancelRequested) continue;
      const id = { activityId, workflowExecution: { workflowId, runId } };
      const here = this.#running.get(keyOf(id));
      if (state === cancelRequested) here?.ending.abort(new Error('the workflow requested the cancellation'));
      // Another process may have the same identity: attempts that started after this process may be running there.
      const isOlder = lastStartedTime != null && tsToMs(lastStartedTime) < this.#startedAtMs;
      if (here || !isOlder) continue;
      const key = `${keyOf(id)} ${attempt}`;
      missing.add(key);
      // Temporal's clock may be behind, and the attempt may be about to reach this process.
      if (!this.#missing.has(key)) continue;
      await fail(client, { workflowId, runId, activityId });
      lost.push(pending.activityType?.name ?? activityId);
    }
    this.#missing = missing;
    return lost;
  }

  /**
   * Ends the attempts of a workflow whose runs have all closed; otherwise, they would run alongside those of the next
   * run until their next heartbeat. Waits for them for a few seconds at most.
   */
  async end(workflowId: string): Promise<void> {
    const ending = Promise.all(this.#askToEnd(workflowId).map(({ ended }) => ended));
    const waiting = new AbortController();
    await Promise.race([ending, pause(endingLimitMs, waiting.signal)]);
    waiting.abort();
  }

  #askToEnd(workflowId: string, exceptRunId?: string): RunningAttempt[] {
    const attempts = [...this.#running.values()].filter(
      (attempt) => attempt.workflowId === workflowId && attempt.runId !== exceptRunId,
    );
    for (const { ending } of attempts) ending.abort(new Error('the run of the workflow has closed'));
    return attempts;
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
        message: 'The worker ended without reporting and was restarted',
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
