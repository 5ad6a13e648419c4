/** A random permutation (Fisher-Yates), like Go's map iteration. */
export function shuffled<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    const item = items[last];
    const swap = items[other];
    if (item !== undefined && swap !== undefined) {
      items[last] = swap;
      items[other] = item;
    }
  }
  return items;
}
