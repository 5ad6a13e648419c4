/** A number with its noun in singular or plural: `1 edge`, `5,000 edges`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
