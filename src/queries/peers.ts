import type { EdgeRow } from '../trail/edges/query-edges.ts';

/** A namespace that the requested namespace has edges with. */
export interface Peer {
  namespace: string;
  /** `out`: the requested namespace is the source. */
  direction: 'in' | 'out' | 'both';
  /** In alphabetical order. */
  actions: string[];
  firstSeen: Date;
  lastSeen: Date;
  /** Distinct records; a string, because it may exceed 2^53. */
  flowCount: string;
}

/** The distinct peers of a namespace, ordered by name. Pure. */
export function peersIn(edges: readonly EdgeRow[], namespace: string): Peer[] {
  const peers = new Map<string, Peer>();
  for (const { srcNs, dstNs, action, firstSeen, lastSeen, flowCount } of edges) {
    const direction = srcNs === namespace ? 'out' : 'in';
    const name = direction === 'out' ? dstNs : srcNs;
    const known = peers.get(name);
    peers.set(name, {
      namespace: name,
      direction: known === undefined || known.direction === direction ? direction : 'both',
      actions: [...new Set([...(known?.actions ?? []), action])].toSorted(),
      firstSeen: known && known.firstSeen < firstSeen ? known.firstSeen : firstSeen,
      lastSeen: known && known.lastSeen > lastSeen ? known.lastSeen : lastSeen,
      flowCount: String(BigInt(known?.flowCount ?? 0) + BigInt(flowCount)),
    });
  }
  return [...peers.values()].toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
}
