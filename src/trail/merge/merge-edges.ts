import type { Query } from '../database/database.ts';
import type { EdgeDelta } from './merge-plan.ts';
import type { EdgeKey } from '../edge-key.ts';

/** Adds new counts and times to `edge`. @returns the edges that had no row before */
export async function mergeEdges(query: Query, deltas: readonly EdgeDelta[]): Promise<EdgeKey[]> {
  if (deltas.length === 0) return [];
  const rows = await query<EdgeKey & { inserted: boolean }>(
    `insert into edge as e (src_ns, dst_ns, action, first_seen, last_seen, flow_count)
     select src_ns, dst_ns, action, to_timestamp(first_seconds), to_timestamp(last_seconds), flow_count
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
       as i(src_ns, dst_ns, action, first_seconds, last_seconds, flow_count)
     order by src_ns, dst_ns, action
     on conflict (src_ns, dst_ns, action) do update set
       first_seen = least(e.first_seen, excluded.first_seen),
       last_seen = greatest(e.last_seen, excluded.last_seen),
       flow_count = e.flow_count + excluded.flow_count
     where excluded.flow_count > 0 or excluded.first_seen < e.first_seen or excluded.last_seen > e.last_seen
     returning src_ns as "srcNs", dst_ns as "dstNs", action, xmax = 0 as inserted`,
    [
      deltas.map(({ edge }) => edge.srcNs),
      deltas.map(({ edge }) => edge.dstNs),
      deltas.map(({ edge }) => edge.action),
      deltas.map(({ firstSeconds }) => firstSeconds),
      deltas.map(({ lastSeconds }) => lastSeconds),
      deltas.map(({ count }) => count),
    ],
  );
  return rows
    .filter(({ inserted }) => inserted)
    .map(({ srcNs, dstNs, action }) => ({ srcNs, dstNs, action }));
}
