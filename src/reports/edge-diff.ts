import { notCovered, type NotCovered } from '../coverage/not-covered.ts';
import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import type { EdgeActivity } from '../trail/edges/edge-activity.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';

/** What changed between two times. Times in JSON are ISO 8601 in UTC. */
export interface EdgeDiff {
  from: Date;
  to: Date;
  /**
   * An edge fell silent if it was seen within this many days before `from` but not within this many days before `to`.
   */
  silentDays: number;
  /** Time ranges in the period that were not fully observed, oldest first. */
  notCovered: NotCovered[];
  /** First seen between the two times, newest first. */
  appeared: EdgeRow[];
  fellSilent: EdgeRow[];
  /** Edges whose action first appeared in the period, although the opposite action is older. */
  allowedToDenied: EdgeRow[];
  deniedToAllowed: EdgeRow[];
}

/** Compares two times. Pure. @param edges all edges first seen before `to` */
export function diffEdges(
  edges: readonly EdgeActivity[],
  {
    from,
    to,
    silentDays,
    coverage,
  }: {
    from: Date;
    to: Date;
    silentDays: number;
    coverage: readonly CoverageStretch[];
  },
): EdgeDiff {
  const isNew = ({ firstSeen }: EdgeActivity) => firstSeen >= from && firstSeen < to;
  const before = new Set(edges.filter((edge) => !isNew(edge)).map(edgeKey));
  const turned = (action: string, opposite: string) =>
    edges.filter(
      (edge) => edge.action === action && isNew(edge) && before.has(edgeKey({ ...edge, action: opposite })),
    );
  return {
    from,
    to,
    silentDays,
    notCovered: notCovered(coverage, from.getTime() / 1000, to.getTime() / 1000),
    appeared: edges
      .filter(isNew)
      .toSorted((a, b) => b.firstSeen.getTime() - a.firstSeen.getTime())
      .map(toEdge),
    fellSilent: edges.filter((edge) => !isNew(edge) && edge.seenBeforeFrom && !edge.seenBeforeTo).map(toEdge),
    allowedToDenied: turned('deny', 'allow').map(toEdge),
    deniedToAllowed: turned('allow', 'deny').map(toEdge),
  };
}

/** Identifies an edge by its namespaces and its action. */
export function edgeKey({ srcNs, dstNs, action }: Pick<EdgeRow, 'srcNs' | 'dstNs' | 'action'>): string {
  return [srcNs, dstNs, action].join('\n');
}

function toEdge({ srcNs, dstNs, action, firstSeen, lastSeen, flowCount }: EdgeActivity): EdgeRow {
  return { srcNs, dstNs, action, firstSeen, lastSeen, flowCount };
}
