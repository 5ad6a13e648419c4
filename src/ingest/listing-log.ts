import { randomUUID } from 'node:crypto';
import { memoryLimits } from '../config/memory-limits.ts';
import {
  beginListing,
  clearListings,
  endListings,
  readLostListings,
  type ListingProcess,
} from '../trail/listings.ts';
import type { Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';

const thisProcess: ListingProcess = { id: randomUUID(), heapLimitBytes: memoryLimits.heapLimitBytes };
/** A bucket is skipped after so many processes ended with it in memory: one may have ended for another reason. */
const skippedAfter = 2;

/** The cause of the gap where a bucket is skipped. */
export const skippedCause =
  'two workers ended while this bucket was in their memory, most likely because memory ran out; give the worker more memory';

/**
 * Which buckets are in the memory of this process, and which were in that of processes that ended without a word. A process that
 * is killed cannot say what killed it, so a bucket is written down before it is listed, and deleted once it is merged.
 */
export class ListingLog {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #open = new Set<number>();
  #isCleared = false;
  #lost: ReadonlyMap<number, number> = new Map();

  constructor(deps: Deps, attempt: Attempt) {
    this.#deps = deps;
    this.#attempt = attempt;
  }

  /** Reads what other processes left; the first time it also deletes what this one left. @throws DatabaseFailure */
  async load(): Promise<void> {
    const { query } = this.#deps.database;
    if (!this.#isCleared) await this.#attempt.waitFor(clearListings(query, thisProcess));
    this.#isCleared = true;
    this.#lost = await this.#attempt.waitFor(readLostListings(query, thisProcess));
  }

  /** A process ended with the bucket in memory: it is listed after all others, and alone. */
  isSuspect(startSeconds: number): boolean {
    return this.#lost.has(startSeconds);
  }

  isSkipped(startSeconds: number): boolean {
    return (this.#lost.get(startSeconds) ?? 0) >= skippedAfter;
  }

  /** @throws DatabaseFailure */
  async begin(startSeconds: number): Promise<void> {
    this.#open.add(startSeconds);
    await this.#attempt.waitFor(beginListing(this.#deps.database.query, startSeconds, thisProcess));
  }

  /** Nothing of the bucket is held any more, and nothing was merged. @throws DatabaseFailure */
  async giveUp(startSeconds: number): Promise<void> {
    await this.#end({ merged: [], givenUp: [startSeconds] });
  }

  /** @throws DatabaseFailure */
  async merged(startSeconds: readonly number[]): Promise<void> {
    await this.#end({ merged: startSeconds, givenUp: [] });
  }

  /** All that is in progress ended with an error. Never throws: what cannot be deleted now is deleted by the next window. */
  async giveUpAll(): Promise<void> {
    await this.#end({ merged: [], givenUp: [...this.#open] }).catch(() => undefined);
  }

  async #end(buckets: { merged: readonly number[]; givenUp: readonly number[] }): Promise<void> {
    await this.#attempt.waitFor(endListings(this.#deps.database.query, buckets, thisProcess));
    for (const start of [...buckets.merged, ...buckets.givenUp]) this.#open.delete(start);
  }
}
