import { diffEdges, type EdgeDiff } from '../reports/edge-diff.ts';
import { readCoverage } from '../trail/coverage.ts';
import type { Query } from '../trail/database.ts';
import { readEdgeActivity } from '../trail/edge-activity.ts';

/** @throws DatabaseFailure */
export async function readEdgeDiff(
  query: Query,
  { from, to, silentDays }: { from: Date; to: Date; silentDays: number },
): Promise<EdgeDiff> {
  const edges = await readEdgeActivity(query, { from, to, days: silentDays });
  const coverage = await readCoverage(query, from.getTime() / 1000, to.getTime() / 1000);
  return diffEdges(edges, { from, to, silentDays, coverage });
}
