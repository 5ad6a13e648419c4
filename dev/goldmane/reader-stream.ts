import type { Clock } from '../../src/time/clock.ts';
import { BoundedChannel } from './channel.ts';
import { encodeRecord, type RecordContent } from './encode.ts';
import { drained, type StreamCall } from './grpc-server.ts';
import type { Bucket, BucketRing } from './ring.ts';
import { shuffled } from './shuffled.ts';

/** An item of the queue: a record, or bytes sent as a record. */
export type Outgoing = RecordContent | Buffer;

/** One reader of `Flows.Stream`: a bounded queue and the loop that empties it as fast as the reader reads. */
export class ReaderStream {
  readonly call: StreamCall;
  /** As normalised by the server: 0 for none, otherwise Unix seconds. */
  readonly historyFromSeconds: number;
  readonly out: BoundedChannel<Outgoing>;

  constructor(options: { call: StreamCall; historyFromSeconds: number; capacity: number; clock: Clock }) {
    this.call = options.call;
    this.historyFromSeconds = options.historyFromSeconds;
    this.out = new BoundedChannel(options.capacity, options.clock);
    this.call.once('close', () => this.out.close());
  }

  /** Sends until the call ends; `onSent` is called for each sent record. */
  async send(onSent: () => void): Promise<void> {
    while (this.call.writable) {
      await this.out.readable();
      for (let next = this.out.shift(); next !== undefined; next = this.out.shift()) {
        if (!this.call.writable) return;
        onSent();
        if (!this.call.write(Buffer.isBuffer(next) ? next : encodeRecord(next))) await drained(this.call);
      }
    }
  }
}

/** The current records of a bucket, in random order. */
export function recordsOf(ring: BucketRing, bucket: Bucket): Outgoing[] {
  const records: Outgoing[] = [...bucket.injected];
  for (const [key, window] of bucket.windows) records.push(ring.record(key, window, bucket));
  return shuffled(records);
}
