import type { HashList } from './hashes.ts';
import type { BucketBatch } from '../record.ts';

/**
 * By bucket, the hashes shared by different contents, with these contents. A hash that occurs twice usually belongs to
 * one content with two traces; only contents of repeated hashes are compared.
 */
export function findCollisions(
  batches: readonly BucketBatch[],
  hashes: readonly (HashList | undefined)[],
): Map<number, Map<bigint, Set<string>>> {
  const collisions = new Map<number, Map<bigint, Set<string>>>();
  for (const startSeconds of new Set(batches.map((batch) => batch.startSeconds))) {
    const repeated = repeatedHashes(
      hashes.filter((_, index) => batches[index]?.startSeconds === startSeconds),
    );
    if (repeated.size === 0) continue;
    const contents = new Map<bigint, Set<string>>();
    for (const [index, batch] of batches.entries()) {
      if (batch.startSeconds !== startSeconds) continue;
      const ofRecords = hashes[index]?.numbers.values();
      for (const { key } of batch.records) {
        const hash: bigint = ofRecords?.next().value ?? 0n;
        if (repeated.has(hash)) contents.set(hash, (contents.get(hash) ?? new Set()).add(key.content));
      }
    }
    const collided = new Map([...contents].filter(([, different]) => different.size > 1));
    if (collided.size > 0) collisions.set(startSeconds, collided);
  }
  return collisions;
}

function repeatedHashes(parts: readonly (HashList | undefined)[]): Set<bigint> {
  const all = new BigUint64Array(parts.reduce((sum, part) => sum + (part?.numbers.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (!part) continue;
    all.set(part.numbers, at);
    at += part.numbers.length;
  }
  all.sort();
  const repeated = new Set<bigint>();
  for (let index = 1; index < all.length; index++) {
    const hash = all[index] ?? 0n;
    if (hash === all[index - 1]) repeated.add(hash);
  }
  return repeated;
}

/** The number of records with these hashes. */
export function countRecords(collided: ReadonlyMap<bigint, ReadonlySet<string>>): number {
  return [...collided.values()].reduce((sum, contents) => sum + contents.size, 0);
}
