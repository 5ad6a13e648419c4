import type { ReaderStream } from './reader-stream.ts';
import type { Bucket } from './ring.ts';

/** How a version delivers a bucket's records to the open streams. */
export interface FanOut {
  /** The queue size of a new stream, in records, for the requested size of history. */
  capacityFor(historyRecords: number): number;
  join(stream: ReaderStream): void;
  leave(stream: ReaderStream): void;
  /** Called in the main loop when a bucket is due to be sent. */
  flush(bucket: Bucket): void;
  /** Called in the main loop, which waits for it, with the history of one stream, oldest bucket first. */
  backfill(stream: ReaderStream, buckets: readonly Bucket[]): Promise<void>;
  /** A promise that must resolve before this bucket may be changed, or undefined. The main loop waits for it. */
  busy(bucket: Bucket): Promise<void> | undefined;
  /** Records that readers missed because they were slow. */
  readonly dropped: number;
  stop(): void;
}
