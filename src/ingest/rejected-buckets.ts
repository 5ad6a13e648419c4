import type { Logger } from 'pino';
import { isGoldmaneFailure, isInvalidListResponse } from '../goldmane/failure.ts';
import type { DueBucket } from '../trail/coverage-ranges/due-buckets.ts';
import type { ListedBucket } from '../trail/fold/fold-list.ts';
import { iso } from '../time/iso.ts';

const maxFailuresInARow = 3;

/**
 * Keeps a bucket with an unusable response from delaying the others. It is listed again in the next rounds, and once more
 * before it leaves the ring; if that fails too, it is a gap with that cause. A bucket whose response was too large
 * is listed again only that last time, because such a response is expensive for Goldmane.
 */
export class RejectedBuckets {
  readonly #log: Logger;
  /** The number of consecutive unusable responses, by bucket. */
  readonly #failures = new Map<number, number>();
  #rejection: string | undefined;
  #kind = '';

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Why a response of this round was rejected. */
  get rejection(): string | undefined {
    return this.#rejection;
  }

  /** The kind of that failure, for example `goldmane_response_too_large`. */
  get rejectionKind(): string {
    return this.#kind;
  }

  beginRound(): void {
    this.#rejection = undefined;
  }

  /**
   * @param list lists the bucket
   * @returns its response, the cause of its gap, or that it is listed again later
   * @throws any other error of `list`
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
      const isTooLarge = isGoldmaneFailure(error) && error.kind === 'response_too_large';
      if (!isTooLarge && !isInvalidListResponse(error)) throw error;
      this.#rejection = error.message;
      this.#kind = `${error.system}_${error.kind}`;
      this.#log.warn(
        { bucket: iso(startSeconds), kind: error.kind, reason: error.message },
        'The response for a bucket was rejected',
      );
      const failures = (this.#failures.get(startSeconds) ?? 0) + 1;
      this.#failures.set(startSeconds, failures);
      const isGivenUp = isTooLarge || stage === 'final' || failures >= maxFailuresInARow;
      return isGivenUp ? { gapCause: error.message } : 'later';
    }
  }
}
