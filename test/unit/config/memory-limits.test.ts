import { expect, test } from 'vitest';
import { deriveMemoryLimits } from '../../../src/config/memory-limits.ts';

const kib = 1024;
const mib = 1024 * kib;

test('the limits leave memory for both readers at any heap size', () => {
  for (const heapMiB of [64, 128, 256, 512, 2_048, 8_192]) {
    const limits = deriveMemoryLimits(heapMiB * mib);
    const settling =
      limits.recordsPerBucket * 150 +
      limits.factsPerBucket * 2 * kib +
      limits.traceBytesPerBucket +
      limits.internedBytes;
    const streaming = limits.pendingRecords * kib + limits.knownEdges * 300 + limits.internedBytes;
    expect(settling + streaming).toBeLessThan(heapMiB * mib * 0.8);
    expect(limits.receiveBytes).toBeLessThanOrEqual(256 * mib);
    expect(limits.recordsPerMerge).toBeLessThan(limits.recordsPerBucket);
    expect(limits.factsPerBucket).toBeLessThan(limits.recordsPerBucket);
  }
});

test('the limits for a heap of 256 MiB allow a scan of 230,000 records in one bucket, in a response of 70 MiB', () => {
  const { recordsPerBucket, receiveBytes } = deriveMemoryLimits(256 * mib);
  expect(recordsPerBucket).toBeGreaterThan(230_000);
  expect(receiveBytes).toBeGreaterThan(70 * mib);
});
