import { getHeapStatistics } from 'node:v8';

/** Memory limits. Data beyond them becomes a gap with a cause instead of a crash (invariant 3). */
export interface MemoryLimits {
  heapLimitBytes: number;
  /** Largest gRPC message that is received. */
  receiveBytes: number;
  /** A bucket whose `List` answer holds more records is not folded. */
  recordsPerBucket: number;
  /** Records merged in one transaction, as long as they come from more than one bucket. */
  recordsPerMerge: number;
  /** Streamed records that wait to be merged. */
  pendingRecords: number;
}

const kib = 1024;
const mib = 1024 * kib;

/**
 * A folded record takes 0.5 to 1 KiB of heap (measured with names of up to 250 bytes), its merge about as much again, and
 * both readers share the heap; so a bucket may have one record for every 6 KiB of heap, and the stream for every 4 KiB. An
 * answer is held outside of the heap, twice while it is received. Pure.
 */
export function deriveMemoryLimits(heapLimitBytes: number): MemoryLimits {
  const recordsPerBucket = Math.floor(heapLimitBytes / (6 * kib));
  return {
    heapLimitBytes,
    receiveBytes: Math.min(64 * mib, Math.max(4 * mib, Math.floor(heapLimitBytes / 8))),
    recordsPerBucket,
    recordsPerMerge: Math.min(20_000, Math.floor(recordsPerBucket / 2)),
    pendingRecords: Math.min(200_000, Math.floor(heapLimitBytes / (4 * kib))),
  };
}

/** The limits of this process. */
export const memoryLimits = deriveMemoryLimits(getHeapStatistics().heap_size_limit);
