import { expect, test } from 'vitest';
import { deriveMemoryLimits } from '../../../src/config/memory-limits.ts';

const mib = 1024 * 1024;

test('limits grow with the heap, and what they allow fits half of it', () => {
  for (const heapMiB of [64, 128, 256, 512, 2_048, 8_192]) {
    const { recordsPerBucket, recordsPerMerge, receiveBytes } = deriveMemoryLimits(heapMiB * mib);
    expect((recordsPerBucket + recordsPerMerge) * 2 * 1024).toBeLessThanOrEqual((heapMiB * mib) / 2);
    expect(receiveBytes).toBeLessThanOrEqual(64 * mib);
    expect(recordsPerMerge).toBeLessThan(recordsPerBucket);
  }
});

test('a heap of 256 MiB takes 10,000 records a bucket and refuses a scan of 230,000', () => {
  const { recordsPerBucket } = deriveMemoryLimits(256 * mib);
  expect(recordsPerBucket).toBeGreaterThan(10_000);
  expect(recordsPerBucket).toBeLessThan(230_000);
});
