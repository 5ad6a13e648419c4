import type { Clock } from '../../src/time/clock.ts';
import { BoundedChannel } from './channel.ts';
import { writeStreamedBytes, writeStreamedRecord, type RecordContent } from './encode.ts';
import type { GrpcCall } from './grpc-call.ts';
import type { Bucket, BucketRing } from './ring.ts';
import { shuffled } from './shuffled.ts';
import { WireWriter } from './wire.ts';

/** An item of the queue: a record, or bytes sent as one. */
export type Outgoing = RecordContent | Buffer;

/** As much as grpc-go lets wait in the transport for one call before a send blocks. */
const CHUNK_BYTES = 64 * 1024;

/** One reader of `Flows.Stream`: a bounded queue, and the loop that empties it as fast as the reader reads. */
export class ReaderStream {
  readonly call: GrpcCall;
  /** As normalised by the server: 0 for none, else Unix seconds. */
  readonly historyFromSeconds: number;
  readonly out: BoundedChannel<Outgoing>;
  readonly #chunk = new WireWriter(CHUNK_BYTES * 2);

  constructor(options: { call: GrpcCall; historyFromSeconds: number; capacity: number; clock: Clock }) {
    this.call = options.call;
    this.historyFromSeconds = options.historyFromSeconds;
    this.out = new BoundedChannel(options.capacity, options.clock);
    this.call.signal.addEventListener('abort', () => this.out.close());
  }

  /** Sends until the call is over; `onSent` is told how many records went out. */
  async send(onSent: (records: number) => void): Promise<void> {
    const { signal } = this.call;
    while (!signal.aborted) {
      await this.out.readable();
      this.#chunk.reset();
      let records = 0;
      while (this.#chunk.length < CHUNK_BYTES) {
        const next = this.out.shift();
        if (next === undefined) break;
        if (Buffer.isBuffer(next)) writeStreamedBytes(this.#chunk, next);
        else writeStreamedRecord(this.#chunk, next);
        records++;
      }
      if (records === 0) continue;
      onSent(records);
      if (!this.call.write(this.#chunk.finish())) await this.call.drained();
    }
  }
}

/** Each record of a bucket, as it is now, in random order. */
export function recordsOf(ring: BucketRing, bucket: Bucket): Outgoing[] {
  const records: Outgoing[] = [...bucket.injected];
  for (const [key, window] of bucket.windows) records.push(ring.record(key, window, bucket));
  return shuffled(records);
}
