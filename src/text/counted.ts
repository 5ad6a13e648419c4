/** How many of what, in words that fit any number: `1 edge`, `5,000 edges`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
