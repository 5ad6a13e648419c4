/** Orders by code units, so that the locale does not change the output. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts by the result of `keyOf`, compared part by part. */
export function sortedBy<Entry>(
  entries: Iterable<Entry>,
  keyOf: (entry: Entry) => readonly (string | number)[],
): Entry[] {
  return [...entries]
    .map((entry) => ({ entry, key: keyOf(entry) }))
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .map(({ entry }) => entry);
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at];
    if (right === undefined) return 1;
    const order =
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : compareText(String(left), String(right));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Groups entries by a key, in order of first occurrence. */
export function groupBy<Entry, Key extends string | number>(
  entries: Iterable<Entry>,
  keyOf: (entry: Entry) => Key,
): Map<Key, [Entry, ...Entry[]]> {
  const groups = new Map<Key, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}
