import { getHeapStatistics } from 'node:v8';

/** Memory limits. Data beyond them becomes coarser facts or a gap with a cause instead of a crash (invariant 3). */
interface MemoryLimits {
  heapLimitBytes: number;
  /** Largest accepted gRPC message. */
  receiveBytes: number;
  /** A bucket whose `List` response has more records is not folded. */
  recordsPerBucket: number;
  /** Facts of one bucket, each under one policy trace; beyond the limit, ports become "many" and traces "other". */
  factsPerBucket: number;
  /** Text of the policy traces of one bucket; traces beyond the limit become "other". */
  traceBytesPerBucket: number;
  /** Records merged in one transaction, if they come from more than one bucket. */
  recordsPerMerge: number;
  /** Streamed records that wait to be merged. */
  pendingRecords: number;
  /** Edges whose rows the stream's writer remembers. */
  knownEdges: number;
  /** Flow keys, names and policy traces cached by one decoder. */
  internedBytes: number;
}

const kib = 1024;
const mib = 1024 * kib;

/**
 * Derives the limits from the heap size. Measured on Node 20 (docs/benchmarks.md): until it is merged, a listed record
 * takes 100 to 150 bytes of heap and up to 300 bytes outside the heap; a fact takes up to 2 KiB while it is merged; a
 * pending streamed record takes 0.5 to 1 KiB, a known edge 240 bytes. Both readers share the heap. A response is stored
 * outside the heap, twice while it is received, so a container should have twice as much memory as the heap limit.
 * Pure.
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

/** The limits for this process. */
export const memoryLimits = deriveMemoryLimits(getHeapStatistics().heap_size_limit);
