import type { Query } from '../database/database.ts';

export interface TrailTotals {
  /** When the oldest edge was first seen; undefined if there are no edges. */
  since: Date | undefined;
  namespaces: number;
  /** Rows of `edge`. */
  edges: number;
}

/** When the trail began, and its numbers of namespaces and edges. @throws DatabaseFailure */
export async function readTrailTotals(query: Query): Promise<TrailTotals> {
  const [row] = await query<{ since: Date | null; namespaces: number; edges: number }>(
    `select min(first_seen) as since, count(*)::int as edges,
       (select count(*) from (select src_ns from edge union select dst_ns from edge) n)::int as namespaces
     from edge`,
  );
  return { since: row?.since ?? undefined, namespaces: row?.namespaces ?? 0, edges: row?.edges ?? 0 };
}
