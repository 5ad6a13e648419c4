/** The largest size that each may have so that all fit: smaller ones are unchanged, larger ones share the rest equally. Pure. */
export function fairShare(sizes: readonly number[], capacity: number): number {
  let left = capacity;
  for (const [at, size] of sizes.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(left / (sizes.length - at));
    if (size > share) return share;
    left -= size;
  }
  return capacity;
}

/** How much of a shared limit the flows from one namespace to another use. */
export interface PairSize {
  readonly source: string;
  readonly pair: string;
  readonly size: number;
}

interface PairShares {
  /** Room for the pair: infinite unless its source namespace has more than its share and the pair more than its share of that. */
  ofPair(this: void, pair: string): number;
  /** Room for the source namespace: infinite unless it has more than its share. */
  ofSource(this: void, source: string): number;
}

/**
 * Shares a limit fairly between source namespaces, and the share of a source between its destinations. A namespace that makes
 * many others connect to it (as a monitored one does) therefore takes room from the flows to itself only. Pure.
 */
export function sharePairs(sizes: readonly PairSize[], capacity: number): PairShares {
  const bySource = new Map<string, Map<string, number>>();
  for (const { source, pair, size } of sizes) {
    const pairs = bySource.get(source) ?? new Map<string, number>();
    pairs.set(pair, (pairs.get(pair) ?? 0) + size);
    bySource.set(source, pairs);
  }
  const totals = new Map(
    [...bySource].map(([source, pairs]) => [source, sumOf(pairs.values())] satisfies [string, number]),
  );
  const share = fairShare([...totals.values()], capacity);
  const limitedSources = new Map<string, number>();
  const limitedPairs = new Map<string, number>();
  for (const [source, pairs] of bySource) {
    if ((totals.get(source) ?? 0) <= share) continue;
    limitedSources.set(source, share);
    const pairShare = fairShare([...pairs.values()], share);
    for (const [pair, size] of pairs) if (size > pairShare) limitedPairs.set(pair, pairShare);
  }
  return {
    ofPair: (pair) => limitedPairs.get(pair) ?? Number.POSITIVE_INFINITY,
    ofSource: (source) => limitedSources.get(source) ?? Number.POSITIVE_INFINITY,
  };
}

export function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
