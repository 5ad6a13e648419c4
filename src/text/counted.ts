/** A number with thousands separators: `5,000`. */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString('en');
}

/** A number with its noun in singular or plural: `1 edge`, `5,000 edges`. */
export function counted(count: number | bigint, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${Number(count) === 1 ? one : many}`;
}
