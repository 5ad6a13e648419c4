import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';

/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const workflowTasks = 1;
/** A poll without work lasts 60 s, and a check follows within half a minute. */
const overdueMs = 100_000;
const noResponseMs = 60_000;

/** Checks whether Temporal receives this worker's polls. All times are by the process's monotonic clock. */
export class PollWatch {
  readonly #taskQueue: string;
  readonly #identity: string;
  #lastPoll = '';
  #polledAtMs = performance.now();
  #respondedAtMs = performance.now();

  constructor(taskQueue: string, identity: string) {
    this.#taskQueue = taskQueue;
    this.#identity = identity;
  }

  /**
   * Queries Temporal for the time of this worker's last poll.
   * @returns the task queue's poll problem; undefined if there is none
   */
  async check(client: Client): Promise<string | undefined> {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: this.#taskQueue },
      taskQueueType: workflowTasks,
    });
    this.#respondedAtMs = performance.now();
    const mine = pollers?.find(({ identity }) => identity === this.#identity);
    const lastPoll = mine?.lastAccessTime ? String(tsToMs(mine.lastAccessTime)) : '';
    if (lastPoll !== '' && lastPoll !== this.#lastPoll) {
      this.#lastPoll = lastPoll;
      this.#polledAtMs = performance.now();
    }
    const sincePollMs = performance.now() - this.#polledAtMs;
    return sincePollMs < overdueMs
      ? undefined
      : `Temporal received no poll from this worker for ${Math.round(sincePollMs / 1000)} s (task queue ${this.#taskQueue})`;
  }

  /** @returns why the worker counts as disconnected after a failed check; undefined for the first minute */
  noAnswer(reason: string): string | undefined {
    const sinceMs = performance.now() - this.#respondedAtMs;
    return sinceMs < noResponseMs
      ? undefined
      : `no poll to Temporal succeeded for ${Math.round(sinceMs / 1000)} s: ${reason}`;
  }
}
