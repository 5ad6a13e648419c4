import { memoryLimits } from '../config/memory-limits.ts';
import { FlowDecoder, MalformedFlow, type FlowRecord } from '../goldmane/decoder/decode.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { iso } from '../time/iso.ts';
import type { DeliveryWatch } from './delivery-watch.ts';
import type { Deps } from './deps.ts';
import type { StreamWriter } from './stream-writer.ts';

const neverTaken = { startSeconds: Number.NaN, atMs: Number.NaN };

/** Decodes and folds each record of the stream as it arrives. */
export class StreamIntake {
  readonly #deps: Deps;
  readonly #writer: StreamWriter;
  readonly #delivery: DeliveryWatch;
  /** One decoder per window, so that keys that recur from bucket to bucket are decoded once. */
  readonly #decoder = new FlowDecoder(memoryLimits);
  /** Malformed records since the last log line. */
  readonly #malformed: MalformedFlow[] = [];
  #hasWarnedOfFuture = false;
  /** The bucket of the last record, and when its first record arrived. */
  #lastTaken = neverTaken;

  constructor(deps: Deps, writer: StreamWriter, delivery: DeliveryWatch) {
    this.#deps = deps;
    this.#writer = writer;
    this.#delivery = delivery;
  }

  /** A new stream may begin in the middle of a bucket. */
  opened(): void {
    this.#lastTaken = neverTaken;
  }

  /** The hot path: synchronous, in memory. */
  take(raw: Buffer): void {
    let record: FlowRecord;
    try {
      record = this.#decoder.decode(raw);
    } catch (error) {
      if (!(error instanceof MalformedFlow)) throw error;
      this.#writer.count('malformed');
      // The record's times may be unreadable, but it belongs to the bucket being sent or is the first record of the
      // next one.
      const { startSeconds: current } = this.#lastTaken;
      this.#writer.fold.damage(current);
      this.#writer.fold.damage(current + bucketSeconds);
      this.#malformed.push(error);
      return;
    }
    const { startSeconds } = record;
    const isNext = startSeconds !== this.#lastTaken.startSeconds;
    // Reading the clock for each record would cost as much as folding it; the first record of a bucket is enough.
    if (isNext) this.#lastTaken = { startSeconds, atMs: this.#deps.config.clock.now() };
    const { atMs } = this.#lastTaken;
    if (this.#writer.add(record, atMs / 1000) === 'future') return this.#warnOfFuture(startSeconds);
    if (!isNext) return;
    this.#deps.serverClock.observe(startSeconds);
    this.#delivery.saw(startSeconds);
  }

  /** Such a bucket must not affect Goldmane's clock, from which ages are computed. Logged once per window. */
  #warnOfFuture(startSeconds: number): void {
    if (this.#hasWarnedOfFuture) return;
    this.#hasWarnedOfFuture = true;
    this.#deps.log.warn(
      { bucket: iso(startSeconds) },
      "Records of a bucket more than an hour ahead of this worker's clock are skipped; correct the clock of this node or of Goldmane's node",
    );
  }

  /** The malformed records since the last call. */
  takeMalformed(): MalformedFlow[] {
    return this.#malformed.splice(0);
  }
}
