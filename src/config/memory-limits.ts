import { getHeapStatistics } from 'node:v8';

/** Memory limits. Data beyond them becomes coarser facts or a gap with a cause instead of a crash (invariant 3). */
export interface MemoryLimits {
  heapLimitBytes: number;
  /** Largest gRPC message that is received. */
  receiveBytes: number;
  /** A bucket whose `List` answer holds more records is not folded. */
  recordsPerBucket: number;
  /** Facts of one bucket, each under one policy trace; beyond, ports become "many" and traces "other". */
  factsPerBucket: number;
  /** Text of the policy traces of one bucket; those beyond become "other". */
  traceBytesPerBucket: number;
  /** Records merged in one transaction, as long as they come from more than one bucket. */
  recordsPerMerge: number;
  /** Streamed records that wait to be merged. */
  pendingRecords: number;
  /** Edges that the stream's writer remembers to have a row. */
  knownEdges: number;
  /** Flow keys, names and policy traces that one decoder keeps for reuse. */
  internedBytes: number;
}

const kib = 1024;
const mib = 1024 * kib;

/**
 * What was measured on Node 20 (docs/benchmarks.md): a listed record takes 100 to 150 bytes of heap until it is merged, and up to
 * 300 bytes outside of it; a fact takes up to 2 KiB while it is merged; a streamed record that waits takes 0.5 to 1 KiB, a known
 * edge 240 bytes. Both readers share the heap. An answer is held outside of the heap, twice while it is received; a container should
 * have twice as much memory as the heap limit. Pure.
 */
export function deriveMemoryLimits(heapLimitBytes: number): MemoryLimits {
  const perHeap = (bytes: number) => Math.floor(heapLimitBytes / bytes);
  return {
    heapLimitBytes,
    receiveBytes: Math.min(256 * mib, Math.max(4 * mib, Math.floor(heapLimitBytes * 0.3))),
    recordsPerBucket: perHeap(kib),
    factsPerBucket: Math.min(20_000, perHeap(12 * kib)),
    traceBytesPerBucket: perHeap(32),
    recordsPerMerge: Math.min(20_000, perHeap(12 * kib)),
    pendingRecords: Math.min(200_000, perHeap(4 * kib)),
    knownEdges: Math.min(200_000, perHeap(8 * kib)),
    internedBytes: Math.min(64 * mib, perHeap(16)),
  };
}

/** The limits of this process. */
export const memoryLimits = deriveMemoryLimits(getHeapStatistics().heap_size_limit);
