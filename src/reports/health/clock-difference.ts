/** A smaller difference may be the duration of a query or a connection. */
const differsMs = 60_000;

/** @returns `300 s ahead of` or `300 s behind`; undefined for a difference that does not matter. Pure. */
export function clockDifference(aheadMs: number): string | undefined {
  if (Math.abs(aheadMs) < differsMs) return undefined;
  return `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}
