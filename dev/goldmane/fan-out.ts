import type { ReaderStream } from './reader-stream.ts';
import type { Bucket } from './ring.ts';

/** How a version delivers a bucket's records to the open streams. */
export interface FanOut {
  /** How many records a new stream's queue holds, given the size of the history it asks for. */
  capacityFor(historyRecords: number): number;
  join(stream: ReaderStream): void;
  leave(stream: ReaderStream): void;
  /** Called in the main loop when a bucket's time to be sent has come. */
  flush(bucket: Bucket): void;
  /** Called in the main loop, which waits for it, with the history of one stream, oldest bucket first. */
  backfill(stream: ReaderStream, buckets: readonly Bucket[]): Promise<void>;
  /** Something that must end before this bucket may be changed, or undefined. The main loop waits for it. */
  busy(bucket: Bucket): Promise<void> | undefined;
  /** Records that a reader did not get because it was slow. */
  readonly dropped: number;
  stop(): void;
}
