import { groupNewPorts, type NewPorts } from '../policy/new-ports.ts';
import { diffEdges, edgeKey, type EdgeDiff } from '../reports/edge-diff.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';
import { readEdgeActivity } from '../trail/edges/edge-activity.ts';
import { readNewConnections } from '../trail/facts/new-connections.ts';

/** What changed between two times. */
export interface Diff extends EdgeDiff {
  /** First used between the two times: ports of older edges, and connections with endpoints outside the cluster. */
  newPorts: NewPorts[];
}

interface DiffQuestion {
  from: Date;
  to: Date;
  silentDays: number;
  /** Only changes of this namespace, as source or destination. */
  namespace?: string;
}

/** @throws DatabaseFailure */
export async function readDiff(
  query: Query,
  { from, to, silentDays, namespace }: DiffQuestion,
): Promise<Diff> {
  const isAsked = (...names: string[]) => namespace === undefined || names.includes(namespace);
  const activity = await readEdgeActivity(query, { from, to, days: silentDays });
  const edges = activity.filter(({ srcNs, dstNs }) => isAsked(srcNs, dstNs));
  const coverage = await readCoverage(query, from.getTime() / 1000, to.getTime() / 1000);
  const diff = diffEdges(edges, { from, to, silentDays, coverage });
  const appeared = new Set(diff.appeared.map(edgeKey));
  const connections = (await readNewConnections(query, from, to)).filter(({ src, dst }) =>
    isAsked(src.ns, dst.ns),
  );
  return { ...diff, newPorts: groupNewPorts(connections, (edge) => appeared.has(edgeKey(edge))) };
}
