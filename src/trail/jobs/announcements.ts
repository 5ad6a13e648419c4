import type { Query } from '../database/database.ts';
import type { EdgeRow } from '../edges/query-edges.ts';

/** An edge by its key. */
export type EdgeName = Pick<EdgeRow, 'srcNs' | 'dstNs' | 'action'>;

/**
 * Marks edges first seen before `knownBeforeSeconds` as announced, because they existed before digests began. Only the
 * first call marks anything: if a digest cannot be posted for days, the edges of those days must still be announced.
 * @throws DatabaseFailure
 */
export async function beginDigests(
  query: Query,
  knownBeforeSeconds: number,
  nowSeconds: number,
): Promise<void> {
  await query(
    `with begun as (
       update trail_state set digests_began_at = to_timestamp($2) where digests_began_at is null returning 1)
     insert into announced_edge (src_ns, dst_ns, action, announced_at)
     select src_ns, dst_ns, action, to_timestamp($2) from edge, begun where first_seen < to_timestamp($1)
     on conflict do nothing`,
    [knownBeforeSeconds, nowSeconds],
  );
}

/**
 * Unannounced edges, ordered by name. Before the first digest: only those that `beginDigests` would leave unmarked.
 * @throws DatabaseFailure
 */
export function readUnannounced(query: Query, knownBeforeSeconds: number): Promise<EdgeRow[]> {
  return query<EdgeRow>(
    `select src_ns as "srcNs", dst_ns as "dstNs", action, first_seen as "firstSeen", last_seen as "lastSeen",
       flow_count::text as "flowCount"
     from edge e
     where not exists (select from announced_edge a
         where a.src_ns = e.src_ns and a.dst_ns = e.dst_ns and a.action = e.action)
       and (first_seen >= to_timestamp($1) or (select digests_began_at from trail_state) is not null)
     order by src_ns, dst_ns, action`,
    [knownBeforeSeconds],
  );
}

/** The number of edges that are not announced because they existed before digests began. @throws DatabaseFailure */
export async function countTakenAsKnown(query: Query, knownBeforeSeconds: number): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select case when digests_began_at is null
         then (select count(*) from edge where first_seen < to_timestamp($1))
         else (select count(*) from announced_edge where digest_id is null) end::int as count
     from trail_state`,
    [knownBeforeSeconds],
  );
  return row?.count ?? 0;
}

/** Records that a digest announced these edges. @throws DatabaseFailure */
export async function recordAnnounced(
  query: Query,
  digestId: string,
  edges: readonly EdgeName[],
  nowSeconds: number,
): Promise<void> {
  await query(
    `insert into announced_edge (src_ns, dst_ns, action, digest_id, announced_at)
     select src_ns, dst_ns, action, $4, to_timestamp($5)
     from unnest($1::text[], $2::text[], $3::text[]) as i(src_ns, dst_ns, action)
     order by src_ns, dst_ns, action
     on conflict do nothing`,
    [
      edges.map(({ srcNs }) => srcNs),
      edges.map(({ dstNs }) => dstNs),
      edges.map(({ action }) => action),
      digestId,
      nowSeconds,
    ],
  );
}

/**
 * Every edge of a digest that still exists, denied ones first: those announced and those waiting to be posted.
 * @returns undefined when there is no such digest
 * @throws DatabaseFailure
 */
export async function readDigestEdges(query: Query, digestId: string): Promise<EdgeRow[] | undefined> {
  const known = await query('select from digest where digest_id = $1', [digestId]);
  if (known.length === 0) return undefined;
  return query<EdgeRow>(
    `select src_ns as "srcNs", dst_ns as "dstNs", action, first_seen as "firstSeen", last_seen as "lastSeen",
       flow_count::text as "flowCount"
     from edge join (
       select src_ns, dst_ns, action from announced_edge where digest_id = $1
       union
       select e ->> 0, e ->> 1, e ->> 2 from digest_message, jsonb_array_elements(edges) as e
       where digest_id = $1) d using (src_ns, dst_ns, action)
     order by action <> 'deny', src_ns, dst_ns, action`,
    [digestId],
  );
}
