/** A bucket is sent this long after it began: its own 15 s and 15 s more (measured; 15.0 to 15.2 s after its end). */
export const deliveryDelayMs = 30_000;
const remembered = 20;

/**
 * Estimates Goldmane's clock from the stream itself: the first record of a bucket arrives when the server's clock shows
 * the bucket's start + 30 s, or later if the stream lags. The least delayed of the last buckets tells the difference of
 * the clocks, the newest one how far the stream lags behind. Milliseconds.
 */
export class ServerClock {
  #samples: number[] = [];
  #newest = Number.NEGATIVE_INFINITY;
  #skewMs = 0;
  #isKnown = false;

  /** What was measured elsewhere, until the stream shows it here. */
  assume(skewMs: number): void {
    if (this.measured) return;
    this.#skewMs = skewMs;
    this.#isKnown = true;
  }

  /** Takes the arrival of a record; all but the first of a bucket are ignored. */
  observe(startSeconds: number, localMs: number): void {
    if (startSeconds <= this.#newest) return;
    this.#newest = startSeconds;
    this.#samples.push(startSeconds * 1000 + deliveryDelayMs - localMs);
    if (this.#samples.length > remembered) this.#samples.shift();
    this.#skewMs = Math.max(...this.#samples);
    this.#isKnown = true;
  }

  /** A new stream: the order of buckets begins anew, the clocks' difference stays until it is measured again. */
  reopened(): void {
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#samples = [];
  }

  /** Goldmane's clock minus ours. */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** Whether the difference is known at all, from this stream or from before. */
  get isKnown(): boolean {
    return this.#isKnown;
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
    return last === undefined ? 0 : this.#skewMs - last;
  }

  nowMs(localMs: number): number {
    return localMs + this.#skewMs;
  }
}

/**
 * How long to wait until no bucket is being sent: buckets go out at multiples of 15 s of the server's clock, so the middle
 * of a bucket is quiet. 0 when it is quiet now.
 */
export function untilQuietMs(serverNowMs: number): number {
  const bucketMs = 15_000;
  const [from, to] = [5_000, 12_000];
  const phase = ((serverNowMs % bucketMs) + bucketMs) % bucketMs;
  if (phase < from) return from - phase;
  return phase <= to ? 0 : bucketMs - phase + from;
}
