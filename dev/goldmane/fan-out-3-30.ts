import type { Clock } from '../../src/time/clock.ts';
import { BoundedChannel } from './channel.ts';
import type { FanOut } from './fan-out.ts';
import { recordsOf, type Outgoing, type ReaderStream } from './reader-stream.ts';
import type { Bucket, BucketRing } from './ring.ts';

const QUEUED_RECORDS = 5000;
const WAIT_FOR_QUEUE_MS = 30_000;
const WAIT_FOR_READER_MS = 1_000;

/**
 * 3.30: record by record, through one queue, to one reader after the other. A reader whose own queue stays full for a
 * second misses the record, and all other readers wait for that second.
 */
export class SerialFanOut implements FanOut {
  readonly #ring: BucketRing;
  readonly #streams = new Set<ReaderStream>();
  readonly #queue: BoundedChannel<Outgoing>;
  #dropped = 0;

  constructor(ring: BucketRing, clock: Clock) {
    this.#ring = ring;
    this.#queue = new BoundedChannel(QUEUED_RECORDS, clock);
    void this.#distribute();
  }

  get dropped(): number {
    return this.#dropped;
  }

  capacityFor(historyRecords: number): number {
    return Math.max(QUEUED_RECORDS, historyRecords);
  }

  join(stream: ReaderStream): void {
    this.#streams.add(stream);
  }

  leave(stream: ReaderStream): void {
    this.#streams.delete(stream);
  }

  flush(bucket: Bucket): void {
    void this.#enqueue(recordsOf(this.#ring, bucket));
  }

  async backfill(stream: ReaderStream, buckets: readonly Bucket[]): Promise<void> {
    for (const bucket of buckets) {
      for (const record of recordsOf(this.#ring, bucket)) {
        if (stream.out.tryPush(record)) continue;
        if (stream.out.closed) return;
        await this.#deliver(stream, record);
      }
    }
  }

  busy(): undefined {
    return undefined;
  }

  stop(): void {
    this.#queue.close();
  }

  async #enqueue(records: readonly Outgoing[]): Promise<void> {
    for (const record of records) {
      if (this.#queue.tryPush(record)) continue;
      const taken = await this.#queue.push(record, WAIT_FOR_QUEUE_MS);
      if (!taken && this.#queue.closed) return;
      if (!taken) this.#dropped += this.#streams.size;
    }
  }

  async #distribute(): Promise<void> {
    while (!this.#queue.closed) {
      await this.#queue.readable();
      for (let record = this.#queue.shift(); record !== undefined; record = this.#queue.shift()) {
        for (const stream of this.#streams) {
          if (!stream.out.tryPush(record)) await this.#deliver(stream, record);
        }
      }
    }
  }

  async #deliver(stream: ReaderStream, record: Outgoing): Promise<void> {
    const taken = await stream.out.push(record, WAIT_FOR_READER_MS);
    if (!taken && !stream.out.closed) this.#dropped++;
  }
}
