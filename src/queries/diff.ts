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

/** @throws DatabaseFailure */
export async function readDiff(
  query: Query,
  { from, to, silentDays }: { from: Date; to: Date; silentDays: number },
): Promise<Diff> {
  const edges = await readEdgeActivity(query, { from, to, days: silentDays });
  const coverage = await readCoverage(query, from.getTime() / 1000, to.getTime() / 1000);
  const diff = diffEdges(edges, { from, to, silentDays, coverage });
  const appeared = new Set(diff.appeared.map(edgeKey));
  const connections = await readNewConnections(query, from, to);
  return { ...diff, newPorts: groupNewPorts(connections, (edge) => appeared.has(edgeKey(edge))) };
}
