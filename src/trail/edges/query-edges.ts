import type { Query } from '../database/database.ts';
import type { FlowFilter } from '../flow-filter.ts';

interface EdgeFilter extends FlowFilter {
  /**
   * Only edges whose facts all have a network set, a host or a network at one end. Versions up to 0.1.0 counted a
   * namespaced network set as part of its namespace.
   */
  withoutWorkload?: boolean;
}

/** A limit that returns every edge. */
export const allEdges = 2_147_483_647;

export interface EdgeRow {
  srcNs: string;
  dstNs: string;
  action: string;
  firstSeen: Date;
  lastSeen: Date;
  /** Distinct records (one per connection kind and 15 s bucket); a string, because it may exceed 2^53. */
  flowCount: string;
}

/** Edges, newest first-seen time first; at most `limit`. @throws DatabaseFailure */
export function queryEdges(query: Query, filter: EdgeFilter): Promise<EdgeRow[]> {
  return query<EdgeRow>(
    `select src_ns as "srcNs", dst_ns as "dstNs", action, first_seen as "firstSeen", last_seen as "lastSeen",
       flow_count::text as "flowCount"
     from edge
     where ($1::text is null or src_ns = $1 or dst_ns = $1)
       and ($2::text is null or src_ns = $2) and ($3::text is null or dst_ns = $3)
       and ($4::timestamptz is null or first_seen >= $4)
       and ($5::text is null or action = $5)
       and ($8::timestamptz is null or last_seen >= $8) and ($9::timestamptz is null or last_seen < $9)
       and (not $7 or exists (
         select from flow_group g where (g.src_ns, g.dst_ns, g.action) = (edge.src_ns, edge.dst_ns, edge.action)
         having bool_and(g.src_kind <> 'workload' or g.dst_kind <> 'workload')))
     order by first_seen desc, src_ns, dst_ns, action
     limit $6`,
    [
      filter.ns ?? null,
      filter.src ?? null,
      filter.dst ?? null,
      filter.newSince ?? null,
      filter.action ?? null,
      filter.limit,
      filter.withoutWorkload ?? false,
      filter.seenSince ?? null,
      filter.silentSince ?? null,
    ],
  );
}
