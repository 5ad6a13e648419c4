import type { EdgeRow } from '../trail/edges/query-edges.ts';

/** The destinations of one namespace, by action, in alphabetical order. */
interface MatrixRow {
  srcNs: string;
  allowed: string[];
  denied: string[];
  /** Neither allowed nor denied: passed or unspecified. */
  other: string[];
}

/** All edges as an adjacency list, by source. Pure. */
export function edgeMatrix(edges: readonly EdgeRow[]): MatrixRow[] {
  const rows = new Map<string, MatrixRow>();
  for (const { srcNs, dstNs, action } of edges) {
    let row = rows.get(srcNs);
    if (!row) rows.set(srcNs, (row = { srcNs, allowed: [], denied: [], other: [] }));
    const list = action === 'allow' ? row.allowed : action === 'deny' ? row.denied : row.other;
    if (!list.includes(dstNs)) list.push(dstNs);
  }
  for (const { allowed, denied, other } of rows.values())
    for (const list of [allowed, denied, other]) list.sort();
  return [...rows.values()].toSorted((a, b) => (a.srcNs < b.srcNs ? -1 : 1));
}
