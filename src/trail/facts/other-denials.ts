import type { Query } from '../database/database.ts';

/** Denied flow facts that belong to no edge. */
export interface OtherDenials {
  /** How many have an end that is a host, network or network set. */
  external: number;
  /** Namespaces with denied flows between their own pods, at most `shownNamespaces`, by name. */
  within: string[];
}

const shownNamespaces = 10;

/**
 * Counts the denials that a question about denied edges does not show, with the same conditions.
 * @throws DatabaseFailure
 */
export async function readOtherDenials(
  query: Query,
  filter: { ns?: string; src?: string; dst?: string; newSince?: Date; seenSince?: Date },
): Promise<OtherDenials> {
  const [row] = await query<OtherDenials>(
    // With an array, Postgres uses each table's index before it expands months to days; otherwise it reads the days of all facts.
    `with denied as (
       select src_ns, src_kind = 'workload' and dst_kind = 'workload' as is_internal from flow_facts
       where fact_id = any (array(
           select f.fact_id from flow_fact f join flow_group g using (group_id)
           where g.action = 'deny' and (g.src_kind <> 'workload' or g.dst_kind <> 'workload' or g.src_ns = g.dst_ns)
             and ($1::text is null or g.src_ns = $1 or g.dst_ns = $1)
             and ($2::text is null or g.src_ns = $2) and ($3::text is null or g.dst_ns = $3)))
         and ($4::timestamptz is null or first_seen >= $4)
         and ($6::timestamptz is null or last_seen >= $6)
     )
     select count(*) filter (where not is_internal)::int as external,
       coalesce((select array_agg(ns) from (
         select distinct src_ns as ns from denied where is_internal and src_ns <> '' order by 1 limit $5) n), '{}') as within
     from denied`,
    [
      filter.ns ?? null,
      filter.src ?? null,
      filter.dst ?? null,
      filter.newSince ?? null,
      shownNamespaces,
      filter.seenSince ?? null,
    ],
  );
  return row ?? { external: 0, within: [] };
}
