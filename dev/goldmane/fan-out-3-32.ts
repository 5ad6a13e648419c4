import type { Clock } from '../../src/time/clock.ts';
import { BoundedChannel } from './channel.ts';
import type { FanOut } from './fan-out.ts';
import { recordsOf, type ReaderStream } from './reader-stream.ts';
import type { Bucket, BucketRing } from './ring.ts';

const QUEUED_BUCKETS = 500;
const QUEUED_RECORDS = 484;
const WAIT_FOR_QUEUE_MS = 1_000;
const WAIT_FOR_READER_MS = 60_000;

/**
 * 3.32: whole buckets to each reader's own queue, so that readers do not wait for each other. But a bucket cannot be
 * changed while a reader reads from it, so a late flow for it blocks the whole main loop.
 */
export class BucketFanOut implements FanOut {
  readonly #ring: BucketRing;
  readonly #clock: Clock;
  readonly #queues = new Map<ReaderStream, BoundedChannel<Bucket>>();
  readonly #reading = new Map<Bucket, Set<Promise<void>>>();
  #dropped = 0;

  constructor(ring: BucketRing, clock: Clock) {
    this.#ring = ring;
    this.#clock = clock;
  }

  get dropped(): number {
    return this.#dropped;
  }

  capacityFor(): number {
    return QUEUED_RECORDS;
  }

  join(stream: ReaderStream): void {
    const queue = new BoundedChannel<Bucket>(QUEUED_BUCKETS, this.#clock);
    this.#queues.set(stream, queue);
    void this.#follow(stream, queue);
  }

  leave(stream: ReaderStream): void {
    this.#queues.get(stream)?.close();
    this.#queues.delete(stream);
  }

  flush(bucket: Bucket): void {
    for (const queue of this.#queues.values()) void queue.push(bucket, WAIT_FOR_QUEUE_MS);
  }

  async backfill(stream: ReaderStream, buckets: readonly Bucket[]): Promise<void> {
    const queue = this.#queues.get(stream);
    for (const bucket of buckets) await queue?.push(bucket, WAIT_FOR_QUEUE_MS);
  }

  busy(bucket: Bucket): Promise<void> | undefined {
    const readers = this.#reading.get(bucket);
    return readers && Promise.all(readers).then(() => undefined);
  }

  stop(): void {
    for (const stream of this.#queues.keys()) this.leave(stream);
  }

  async #follow(stream: ReaderStream, queue: BoundedChannel<Bucket>): Promise<void> {
    while (!queue.closed) {
      await queue.readable();
      const bucket = queue.shift();
      // A bucket that was not sent yet, or has since been dropped, has no records.
      if (!bucket?.sent) continue;
      const reading = this.#read(stream, bucket);
      const readers = this.#reading.get(bucket) ?? new Set();
      this.#reading.set(bucket, readers.add(reading));
      await reading;
      readers.delete(reading);
      if (readers.size === 0) this.#reading.delete(bucket);
    }
  }

  async #read(stream: ReaderStream, bucket: Bucket): Promise<void> {
    const records = recordsOf(this.#ring, bucket);
    for (const [index, record] of records.entries()) {
      if (stream.out.tryPush(record)) continue;
      const taken = await stream.out.push(record, WAIT_FOR_READER_MS);
      if (taken) continue;
      if (!stream.out.closed) this.#dropped += records.length - index;
      return;
    }
  }
}
