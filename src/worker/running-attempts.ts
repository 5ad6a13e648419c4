import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { AttemptId } from '../ingest/deps.ts';
import { failAttempt, isCancelRequested, isStarted, type PendingActivity } from './lost-attempts.ts';
import { pause } from './waiting.ts';

const endingLimitMs = 5_000;

interface RunningAttempt {
  ending: AbortController;
  ended: Promise<void>;
  activityId: string;
  attempt: number;
  workflowId?: string;
  runId?: string;
}

/** Compares the activity attempts that run in this process with those that Temporal lists as running here. Without
 * this, Temporal would detect a lost attempt, and an attempt its own cancellation, only by heartbeats, which are
 * minutes apart because each is billed. `presence.ts` handles attempts of other workers that were lost.
 */
export class RunningAttempts {
  readonly #running = new Map<string, RunningAttempt>();
  readonly #identity: string;
  readonly #startedAtMs: number;
  /** Attempts that were missing at the last check. */
  #missing = new Set<string>();
  /** Attempts that ran here at the last check, although Temporal did not list their activity. */
  #unlisted = new Set<string>();

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
        const { activityId, attempt, workflowExecution } = info;
        this.#running.set(key, {
          ending: new AbortController(),
          ended,
          activityId,
          attempt,
          ...workflowExecution,
        });
        try {
          return await next(input);
        } finally {
          this.#running.delete(key);
          hasEnded();
        }
      },
    },
  });

  /** @returns the signal that aborts when the attempt is requested to end; undefined if it does not run here */
  endingSignal(attempt: AttemptId): AbortSignal | undefined {
    return this.#running.get(keyOf(attempt))?.ending.signal;
  }

  /** Requests all attempts in this process to end, and waits for them for a few seconds at most. */
  async endAll(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { ending } of running) ending.abort(new Error('the worker is shutting down'));
    const limit = new AbortController();
    await Promise.race([Promise.all(running.map(({ ended }) => ended)), pause(endingLimitMs, limit.signal)]);
    limit.abort();
  }

  /** Requests attempts to end if the workflow requested their cancellation, if they belong to its former runs, or if
   * Temporal has replaced them by later ones or a person has completed their activity.
   * Fails attempts that a previous process with this identity (a restarted container)
   * left behind, so that Temporal starts new ones at once.
   * @returns the activity types whose attempts were lost
   * @throws whatever the client throws if Temporal does not respond
   */
  async check(client: Client, { raw, workflowId, runId }: WorkflowExecutionDescription): Promise<string[]> {
    this.#requestEnd(workflowId, runId);
    this.#endUnlisted(runId, raw.pendingActivities ?? []);
    const missing = new Set<string>();
    const lost: string[] = [];
    for (const pending of raw.pendingActivities ?? []) {
      this.#requestFormerEnd(runId, pending);
      const { activityId, attempt, lastWorkerIdentity, lastStartedTime } = pending;
      if (!activityId || lastWorkerIdentity !== this.#identity || !isStarted(pending)) continue;
      const key = keyOf({ activityId, attempt: attempt ?? 1, workflowExecution: { workflowId, runId } });
      const here = this.#running.get(key);
      if (isCancelRequested(pending))
        here?.ending.abort(new Error('the workflow requested the cancellation'));
      // Another process may have the same identity: attempts that started after this process may be running there.
      const isOlder = lastStartedTime != null && tsToMs(lastStartedTime) < this.#startedAtMs;
      if (here || !isOlder) continue;
      missing.add(key);
      // Temporal's clock may be behind, and the attempt may be about to reach this process.
      if (!this.#missing.has(key)) continue;
      await failAttempt(
        client,
        { workflowId, runId, activityId },
        { type: 'worker_restarted', message: 'The worker ended without reporting and was restarted' },
      );
      lost.push(pending.activityType?.name ?? activityId);
    }
    this.#missing = missing;
    return lost;
  }

  /**
   * An activity that Temporal does not list has ended, for example because a person completed it by hand; its successor may
   * be running already. One that started after the description was made is not listed yet.
   */
  #endUnlisted(runId: string, pending: readonly PendingActivity[]): void {
    const listed = new Set(pending.map(({ activityId }) => activityId));
    const unlisted = [...this.#running].filter(
      ([, running]) => running.runId === runId && !listed.has(running.activityId),
    );
    for (const [key, { ending }] of unlisted)
      if (this.#unlisted.has(key)) ending.abort(new Error('Temporal no longer lists this activity'));
    this.#unlisted = new Set(unlisted.map(([key]) => key));
  }

  /** Temporal has started a later attempt, for example because this worker was considered lost. */
  #requestFormerEnd(runId: string, { activityId, attempt }: PendingActivity): void {
    for (const running of this.#running.values())
      if (running.runId === runId && running.activityId === activityId && running.attempt < (attempt ?? 0))
        running.ending.abort(new Error('Temporal has replaced this attempt with a later one'));
  }

  /**
   * Ends the attempts of a workflow whose runs have all closed; otherwise, they would run alongside those of the next
   * run until their next heartbeat. Waits for them for a few seconds at most.
   */
  async end(workflowId: string): Promise<void> {
    const ending = Promise.all(this.#requestEnd(workflowId).map(({ ended }) => ended));
    const waiting = new AbortController();
    await Promise.race([ending, pause(endingLimitMs, waiting.signal)]);
    waiting.abort();
  }

  #requestEnd(workflowId: string, exceptRunId?: string): RunningAttempt[] {
    const attempts = [...this.#running.values()].filter(
      (attempt) => attempt.workflowId === workflowId && attempt.runId !== exceptRunId,
    );
    for (const { ending } of attempts) ending.abort(new Error('the run of the workflow has closed'));
    return attempts;
  }
}

function keyOf({ activityId, attempt, workflowExecution }: AttemptId): string {
  return `${workflowExecution?.runId} ${activityId} ${attempt}`;
}
