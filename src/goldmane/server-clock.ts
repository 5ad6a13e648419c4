import { bucketSeconds } from '../time/bucket.ts';
import type { Clock } from '../time/clock.ts';

/** A bucket is sent this long after it began: its own 15 s and 15 s more (measured; 15.0 to 15.2 s after its end). */
export const deliveryDelayMs = 2 * bucketSeconds * 1000;
const bucketMs = bucketSeconds * 1000;
const remembered = 20;

/**
 * Goldmane's clock, as far as Goldmane itself has shown it: the first record of a bucket arrives when it shows the bucket's
 * start + 30 s, or later if the stream lags. The least delayed of the last buckets tells what it shows, the newest one how
 * far the stream lags behind. From there on it is reckoned by the time that has elapsed, not by our own clock: that one may
 * be set by hours, and nothing that is decided by a bucket's age could be taken back. Milliseconds.
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
   * What was found by asking, until the stream shows it.
   * @param isAtLeast it may show more: nothing newer was found, but there need not have been anything newer
   */
  assume(serverNowMs: number, { isAtLeast = false }: { isAtLeast?: boolean } = {}): void {
    if (this.measured) return;
    this.#offsetMs = serverNowMs - this.#clock.elapsed();
    this.#isAtLeast = isAtLeast;
  }

  /** Takes the arrival of a record; all but the first of a bucket are ignored. */
  observe(startSeconds: number): void {
    if (startSeconds <= this.#newest) return;
    this.#newest = startSeconds;
    this.#samples.push(startSeconds * 1000 + deliveryDelayMs - this.#clock.elapsed());
    if (this.#samples.length > remembered) this.#samples.shift();
    this.#offsetMs = Math.max(...this.#samples);
    this.#isAtLeast = false;
  }

  /** A new stream: the order of buckets starts again; the measured clock stays until it is measured again. */
  reopened(): void {
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#samples = [];
  }

  /** Whether Goldmane has shown its clock yet; without it no bucket has an age. */
  get isKnown(): boolean {
    return this.#offsetMs !== undefined;
  }

  /** Whether it may show more than is known. */
  get isAtLeast(): boolean {
    return this.#isAtLeast;
  }

  get measured(): boolean {
    return this.#samples.length > 0;
  }

  /** Whether the stream brought something for many buckets in a row, so that silence would be strange. */
  get isRegular(): boolean {
    return this.#samples.length >= remembered / 2;
  }

  /** How much later than it should the newest bucket arrived. */
  get lagMs(): number {
    const last = this.#samples.at(-1);
    return last === undefined || this.#offsetMs === undefined ? 0 : this.#offsetMs - last;
  }

  /** What Goldmane's clock shows; what ours does, as long as Goldmane has shown nothing. */
  nowMs(): number {
    return this.#offsetMs === undefined ? this.#clock.now() : this.#clock.elapsed() + this.#offsetMs;
  }
}

/**
 * How long to wait until no bucket is being sent: buckets go out at multiples of 15 s of the server's clock, so the middle
 * of a bucket is quiet. 0 when it is quiet now.
 */
export function untilQuietMs(serverNowMs: number): number {
  const [from, to] = [5_000, 12_000];
  const phase = ((serverNowMs % bucketMs) + bucketMs) % bucketMs;
  if (phase < from) return from - phase;
  return phase <= to ? 0 : bucketMs - phase + from;
}
