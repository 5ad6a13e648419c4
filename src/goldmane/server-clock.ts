import { bucketSeconds } from '../time/bucket.ts';
import type { Clock } from '../time/clock.ts';

/**
 * A bucket is sent this long after it began: its own 15 s and another 15 s (measured: 15.0 to 15.2 s after its end).
 */
export const deliveryDelayMs = 2 * bucketSeconds * 1000;
const bucketMs = bucketSeconds * 1000;
const remembered = 20;

/**
 * Goldmane's clock, inferred from the stream: the first record of a bucket arrives when the clock shows the bucket's
 * start + 30 s, or later if the stream lags. The least delayed of the last buckets determines the clock, and the newest
 * one the stream's lag. From then on, elapsed time is added. Our own clock is not used, because it may be changed by hours and
 * decisions based on a bucket's age cannot be undone. Milliseconds.
 */
export class ServerClock {
  readonly #clock: Pick<Clock, 'now' | 'elapsed'>;
  #samples: number[] = [];
  #newest = Number.NEGATIVE_INFINITY;
  /** Goldmane's clock minus the time elapsed. */
  #offsetMs: number | undefined;
  #isAtLeast = false;

  constructor(clock: Pick<Clock, 'now' | 'elapsed'>) {
    this.#clock = clock;
  }

  /**
   * Sets a value found by listing, used until the stream shows the clock.
   * @param isAtLeast the clock may show a later time: nothing newer was found, but there may have been nothing newer to
   * find
   */
  assume(serverNowMs: number, { isAtLeast = false }: { isAtLeast?: boolean } = {}): void {
    if (this.measured) return;
    this.#offsetMs = serverNowMs - this.#clock.elapsed();
    this.#isAtLeast = isAtLeast;
  }

  /** Records the arrival of a record; only the first one of each bucket counts. */
  observe(startSeconds: number): void {
    if (startSeconds <= this.#newest) return;
    this.#newest = startSeconds;
    this.#samples.push(startSeconds * 1000 + deliveryDelayMs - this.#clock.elapsed());
    if (this.#samples.length > remembered) this.#samples.shift();
    this.#offsetMs = Math.max(...this.#samples);
    this.#isAtLeast = false;
  }

  /**
   * Call this for a new stream: the order of buckets starts again, and the measured clock stays until the next
   * measurement.
   */
  reopened(): void {
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#samples = [];
  }

  /** Whether Goldmane's clock is known; without it, bucket ages are unknown. */
  get isKnown(): boolean {
    return this.#offsetMs !== undefined;
  }

  /** Whether the clock may show a later time than assumed. */
  get isAtLeast(): boolean {
    return this.#isAtLeast;
  }

  get measured(): boolean {
    return this.#samples.length > 0;
  }

  /** Whether the stream delivered records of many buckets in a row, so that silence would be unusual. */
  get isRegular(): boolean {
    return this.#samples.length >= remembered / 2;
  }

  /** The delay of the newest bucket. */
  get lagMs(): number {
    const last = this.#samples.at(-1);
    return last === undefined || this.#offsetMs === undefined ? 0 : this.#offsetMs - last;
  }

  /** Goldmane's time; our own time while Goldmane's clock is unknown. */
  nowMs(): number {
    return this.#offsetMs === undefined ? this.#clock.now() : this.#clock.elapsed() + this.#offsetMs;
  }
}

/**
 * Time to wait until no bucket is being sent: buckets are sent at multiples of 15 s by the server's clock, so the
 * stream is quiet in between. 0 if it is quiet now.
 */
export function untilQuietMs(serverNowMs: number): number {
  const [from, to] = [5_000, 12_000];
  const phase = ((serverNowMs % bucketMs) + bucketMs) % bucketMs;
  if (phase < from) return from - phase;
  return phase <= to ? 0 : bucketMs - phase + from;
}
