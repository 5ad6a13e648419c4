import type { Logger } from 'pino';
import { isGoldmaneFailure, isInvalidListResponse } from '../goldmane/failure.ts';
import type { DueBucket } from '../trail/due.ts';
import type { ListedBucket } from '../trail/fold-list.ts';
import { iso } from './attempt.ts';

const maxFailuresInARow = 3;

/**
 * A bucket whose answer cannot be used does not hold up the others. It is asked again in the next rounds, and once more
 * before it leaves the ring; when that does not help it is a gap with a name. An answer that is too large would be so
 * again, and costs Goldmane much: it is not asked for in between.
 */
export class RejectedBuckets {
  readonly #log: Logger;
  /** How often the answers for a bucket could not be used. */
  readonly #failures = new Map<number, number>();
  #unfit: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Why an answer of the present round could not be used. */
  get unfit(): string | undefined {
    return this.#unfit;
  }

  beginRound(): void {
    this.#unfit = undefined;
  }

  /**
   * @param list asks for the bucket
   * @returns its answer; why it is given up; or that it is asked for later
   * @throws what `list` throws for another reason than its answer
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
