import { bucketSeconds } from '../time/bucket.ts';

const deliveryDelaySeconds = 2 * bucketSeconds;
const silenceSeconds = 120;
/** If a clock advanced by more than this between two calls, it was changed; the skipped time was not observed. */
const jumpSeconds = 3_600;

/**
 * Finds buckets that the stream covered completely: it was open before the bucket was sent and until the next one was
 * sent. The stream does not mark the end of a bucket; it is inferred from a record of a later bucket, or from two
 * minutes without a record. Times are seconds by Goldmane's clock.
 */
export class DeliveryWatch {
  #isOpen = false;
  #next: number | undefined;
  #newestSeen = Number.NEGATIVE_INFINITY;
  #mayBeAnotherRun = false;

  /**
   * @param nowSeconds undefined while Goldmane's clock is unknown; the first record then determines it
   * @param mayBeAnotherRun true if the previous stream broke: a restarted Goldmane may have only part of the records of
   * buckets that began before now
   */
  opened(nowSeconds: number | undefined, mayBeAnotherRun = false): void {
    this.#isOpen = true;
    this.#mayBeAnotherRun = mayBeAnotherRun;
    const fromSeconds =
      nowSeconds === undefined || !mayBeAnotherRun ? nowSeconds : nowSeconds + deliveryDelaySeconds;
    this.#next = fromSeconds === undefined ? undefined : firstSentAfter(fromSeconds);
    this.#newestSeen = Number.NEGATIVE_INFINITY;
  }

  closed(): void {
    this.#isOpen = false;
  }

  saw(startSeconds: number): void {
    if (startSeconds <= this.#newestSeen) return;
    this.#newestSeen = startSeconds;
    // The stream may have been opened while this bucket was being sent.
    this.#next ??= startSeconds + bucketSeconds + (this.#mayBeAnotherRun ? deliveryDelaySeconds : 0);
  }

  /** Buckets covered completely since the last call. */
  takeWhole(nowSeconds: number): number[] {
    if (!this.#isOpen || this.#next === undefined) return [];
    if (this.#next + jumpSeconds < nowSeconds) this.#next = firstSentAfter(nowSeconds);
    const whole: number[] = [];
    while (
      this.#next + deliveryDelaySeconds + bucketSeconds <= nowSeconds &&
      (this.#newestSeen > this.#next || this.#next + silenceSeconds <= nowSeconds)
    ) {
      whole.push(this.#next);
      this.#next += bucketSeconds;
    }
    return whole;
  }
}

/** One second later than necessary, because the stream may have been opened while a bucket was being sent. */
function firstSentAfter(nowSeconds: number): number {
  return Math.ceil((nowSeconds - deliveryDelaySeconds + 1) / bucketSeconds) * bucketSeconds;
}
