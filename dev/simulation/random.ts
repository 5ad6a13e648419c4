/**
 * Stateless random numbers: the same inputs give the same number in every process and at any time, so the simulated
 * cluster depends only on seed and time.
 */

/** A well-mixed 32-bit hash of integers. */
export function mix(...values: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const value of values) {
    // Only the lower 32 bits of each integer count (seconds fit).
    hash ^= Math.imul(value | 0, 0x85ebca6b);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 13;
    hash = Math.imul(hash + 0x27d4eb2f, 0x165667b1);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/** From 0 (inclusive) to 1 (exclusive). */
export function chance(...values: readonly number[]): number {
  return mix(...values) / 0x1_0000_0000;
}

/** A whole number from 0 (inclusive) to `limit` (exclusive). */
export function below(limit: number, ...values: readonly number[]): number {
  return Math.floor(chance(...values) * limit);
}

/** `count` of the items, chosen by the seed, in their original order. */
export function choose<T>(items: readonly T[], count: number, ...values: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, index, rank: mix(...values, index) }))
    .toSorted((a, b) => a.rank - b.rank || a.index - b.index)
    .slice(0, count)
    .toSorted((a, b) => a.index - b.index)
    .map(({ item }) => item);
}

/** A number for a text, for use as a seed. */
export function textNumber(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
