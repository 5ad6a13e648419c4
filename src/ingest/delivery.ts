import { bucketSeconds } from '../time/bucket.ts';

const deliveryDelaySeconds = 2 * bucketSeconds;
const silenceSeconds = 120;
/** A clock that ran so far ahead between two questions was set; what it left out was not watched. */
const jumpSeconds = 3_600;

/**
 * Tells which buckets the stream covered whole: it was open before the bucket was sent, and still when the next one was.
 * Nothing in the stream marks the end of a bucket; a record of a later bucket does, or two minutes of silence.
 * Times are seconds of Goldmane's clock.
 */
export class DeliveryWatch {
  #isOpen = false;
  #next: number | undefined;
  #newestSeen = Number.NEGATIVE_INFINITY;
  #mayBeAnotherRun = false;

  /**
   * @param nowSeconds undefined while Goldmane's clock is not known: then the first record shows where it is
   * @param mayBeAnotherRun the stream before this one broke: should Goldmane have been restarted, it may have only a part
   * of the buckets that began before now, though it sends them whole
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

  /** Buckets that were covered whole since it was last asked. */
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

/** With a second to spare: the stream may have been opened while a bucket was being sent. */
function firstSentAfter(nowSeconds: number): number {
  return Math.ceil((nowSeconds - deliveryDelaySeconds + 1) / bucketSeconds) * bucketSeconds;
}
