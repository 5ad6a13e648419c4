import type { Logger } from 'pino';
import { isGoldmaneFailure, isInvalidListResponse } from '../goldmane/failure.ts';
import type { DueBucket } from '../trail/due.ts';
import type { ListedBucket } from '../trail/fold-list.ts';
import { iso } from './attempt.ts';

const maxFailuresInARow = 3;

/**
 * A bucket whose answer cannot be used does not delay the others. It is listed again in the next rounds, and once more before it
 * leaves the ring; if that fails too it is a gap with its cause. A bucket whose answer is too large is listed only that last time,
 * because such an answer is expensive for Goldmane.
 */
export class RejectedBuckets {
  readonly #log: Logger;
  /** By bucket, how many answers in a row could not be used. */
  readonly #failures = new Map<number, number>();
  #unfit: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Why an answer of this round could not be used. */
  get unfit(): string | undefined {
    return this.#unfit;
  }

  beginRound(): void {
    this.#unfit = undefined;
  }

  /**
   * @param list lists the bucket
   * @returns its answer, the cause of its gap, or that it is listed again later
   * @throws whatever else `list` throws
   */
  async listOrSetAside(
    { startSeconds, stage }: DueBucket,
    list: (startSeconds: number) => Promise<ListedBucket>,
  ): Promise<ListedBucket | { gapCause: string } | 'later'> {
    try {
      const answer = await list(startSeconds);
      this.#failures.delete(startSeconds);
      return answer;
    } catch (error) {
      const isTooLarge = isGoldmaneFailure(error) && error.kind === 'answer_too_large';
      if (!isTooLarge && !isInvalidListResponse(error)) throw error;
      this.#unfit = error.message;
      this.#log.warn({ bucket: iso(startSeconds) }, error.message);
      const failures = (this.#failures.get(startSeconds) ?? 0) + 1;
      this.#failures.set(startSeconds, failures);
      const isGivenUp = isTooLarge || stage === 'final' || failures >= maxFailuresInARow;
      return isGivenUp ? { gapCause: error.message } : 'later';
    }
  }
}
