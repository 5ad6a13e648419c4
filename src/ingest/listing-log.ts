import { randomUUID } from 'node:crypto';
import { memoryLimits } from '../config/memory-limits.ts';
import {
  beginListing,
  clearListings,
  endListings,
  readLostListings,
  type ListingProcess,
} from '../trail/coverage-ranges/listings.ts';
import type { Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';

const thisProcess: ListingProcess = { id: randomUUID(), heapLimitBytes: memoryLimits.heapLimitBytes };
/** A bucket is skipped after this many processes ended with it in memory; a single process may have ended for a
 * different reason.
 */
const skippedAfter = 2;

/** The cause of the gap if a bucket is skipped. */
export const skippedCause =
  'two workers died with this bucket in memory, most likely because they ran out of memory; give the worker more memory';

/** Tracks the buckets that this process has in memory, and those that other processes had in memory when they ended.
 * A killed process cannot report why it was killed,
 * so each bucket is stored before it is listed and deleted once it is
 * merged.
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

  /** Reads the rows of other processes; the first call also deletes the rows of this one. @throws DatabaseFailure */
  async load(): Promise<void> {
    const { query } = this.#deps.database;
    if (!this.#isCleared) await this.#attempt.waitFor(clearListings(query, thisProcess));
    this.#isCleared = true;
    this.#lost = await this.#attempt.waitFor(readLostListings(query, thisProcess));
  }

  /** Whether a process ended with the bucket in memory; such a bucket is listed after all others, and alone. */
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

  /** The bucket was dropped from memory without a merge. @throws DatabaseFailure */
  async giveUp(startSeconds: number): Promise<void> {
    await this.#end({ merged: [], givenUp: [startSeconds] });
  }

  /** @throws DatabaseFailure */
  async merged(startSeconds: readonly number[]): Promise<void> {
    await this.#end({ merged: startSeconds, givenUp: [] });
  }

  /**
   * All listings in progress ended with an error. Never throws; rows that cannot be deleted now are deleted by the next
   * window.
   */
  async giveUpAll(): Promise<void> {
    await this.#end({ merged: [], givenUp: [...this.#open] }).catch(() => undefined);
  }

  async #end(buckets: { merged: readonly number[]; givenUp: readonly number[] }): Promise<void> {
    await this.#attempt.waitFor(endListings(this.#deps.database.query, buckets, thisProcess));
    for (const start of [...buckets.merged, ...buckets.givenUp]) this.#open.delete(start);
  }
}
