import type { Query } from '../database/database.ts';
import type { FactEnd } from '../record.ts';

/** The service identities at the ends of an edge. */
interface EdgeIdentities {
  srcNs: string;
  dstNs: string;
  action: string;
  identities: string[];
}

/** Edges with a service identity at an end. @throws DatabaseFailure */
export function readEdgeIdentities(query: Query): Promise<EdgeIdentities[]> {
  return query<EdgeIdentities>(
    `select g.src_ns as "srcNs", g.dst_ns as "dstNs", g.action, array_agg(distinct n.identity) as identities
     from flow_group g cross join lateral (values (g.src_identity), (g.dst_identity)) as n(identity)
     where n.identity <> '' and g.src_kind = 'workload' and g.dst_kind = 'workload' and g.src_ns <> g.dst_ns
     group by 1, 2, 3`,
  );
}

/** Flows between a namespace and an end outside the cluster, summed over all ports and reporters. */
interface ExternalPair {
  src: FactEnd;
  dst: FactEnd;
  action: string;
  /** Service identities at the namespace's end. */
  identities: string[];
  firstSeen: Date;
  lastSeen: Date;
  /** Distinct records; a string, because it may exceed 2^53. */
  flowCount: string;
}

interface ExternalRow {
  srcKind: FactEnd['kind'];
  srcNs: string;
  srcName: string;
  dstKind: FactEnd['kind'];
  dstNs: string;
  dstName: string;
  action: string;
  identities: string[] | null;
  firstSeen: Date;
  lastSeen: Date;
  flowCount: string;
}

/** Since a day (days since the epoch), newest first; at most `limit`. @throws DatabaseFailure */
export async function readExternalPairs(
  query: Query,
  { fromDay, limit }: { fromDay: number; limit: number },
): Promise<ExternalPair[]> {
  const rows = await query<ExternalRow>(
    `with external as (
       select group_id, src_kind, src_ns, dst_kind, dst_ns, action,
         case when src_kind = 'workload' then '' else src_identity end as src_name,
         case when dst_kind = 'workload' then '' else dst_identity end as dst_name,
         nullif(case when src_kind = 'workload' then src_identity else dst_identity end, '') as identity
       from flow_group
       where (src_kind = 'workload') <> (dst_kind = 'workload')
         and case when src_kind = 'workload' then src_ns else dst_ns end <> ''
     ), seen as (
       select f.group_id, min(d.first_seen) as first_seen, max(d.last_seen) as last_seen, sum(d.flow_count) as flow_count
       from flow_fact f join flow_fact_days d using (fact_id)
       where d.day >= date 'epoch' + $1::int and d.last_day >= date 'epoch' + $1::int and f.group_id in (select group_id from external)
       group by 1
     )
     select src_kind as "srcKind", src_ns as "srcNs", src_name as "srcName", dst_kind as "dstKind", dst_ns as "dstNs",
       dst_name as "dstName", action, array_agg(distinct identity) filter (where identity is not null) as identities,
       min(first_seen) as "firstSeen", max(last_seen) as "lastSeen", sum(flow_count)::text as "flowCount"
     from external join seen using (group_id)
     group by 1, 2, 3, 4, 5, 6, 7
     order by min(first_seen) desc, 2, 5, 3, 6
     limit $2`,
    [fromDay, limit],
  );
  return rows.map(({ srcKind, srcNs, srcName, dstKind, dstNs, dstName, identities, ...rest }) => ({
    src: { kind: srcKind, ns: srcNs, identity: srcName },
    dst: { kind: dstKind, ns: dstNs, identity: dstName },
    identities: identities ?? [],
    ...rest,
  }));
}
