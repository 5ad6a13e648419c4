import type { Query } from '../database/database.ts';
import { factEndColumns, withEnds, type FactEndColumns } from './fact-end-columns.ts';
import type { FactKey } from '../record.ts';

/** A connection as any of its two ends reported it. */
export interface NewConnection extends Omit<FactKey, 'reporter'> {
  firstSeen: Date;
  lastSeen: Date;
  /** Distinct records; a string, because it may exceed 2^53. */
  flowCount: string;
}

type Row = Omit<NewConnection, 'src' | 'dst'> & FactEndColumns;

/**
 * Connections between two namespaces, or with an endpoint outside the cluster, whose port was first seen from `from` until
 * before `to`, by any reporter; oldest first.
 * @throws DatabaseFailure
 */
export async function readNewConnections(query: Query, from: Date, to: Date): Promise<NewConnection[]> {
  const rows = await query<Row>(
    // An older day is found in the index, fact by fact; the first day of every fact in use would take an aggregate of all its days.
    // With an array, Postgres uses each table's index before it expands months to days; with a join it does not.
    `with active as materialized (
       select distinct fact_id from flow_fact_days
       where day between ($1::timestamptz at time zone 'UTC')::date and ($2::timestamptz at time zone 'UTC')::date
         and last_day >= ($1::timestamptz at time zone 'UTC')::date
         and first_seen >= $1 and first_seen < $2
     ), candidate as materialized (
       select distinct src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, action, port
       from active a join flow_fact using (fact_id) join flow_group using (group_id)
       where (src_kind <> 'workload' or dst_kind <> 'workload' or (src_ns <> dst_ns and src_ns <> '' and dst_ns <> ''))
         and not exists (select from flow_fact_day d where d.fact_id = a.fact_id
           and d.day <= ($1::timestamptz at time zone 'UTC')::date and d.first_seen < $1)
         and not exists (select from flow_fact_month m where m.fact_id = a.fact_id and m.first_seen < $1)
     )
     select ${factEndColumns}, protocol, port, action, min(first_seen) as "firstSeen", max(last_seen) as "lastSeen",
       sum(flow_count)::text as "flowCount"
     from flow_facts
     where fact_id = any (array(
       select f.fact_id from candidate c
       join flow_group using (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, action)
       join flow_fact f using (group_id) where f.port = c.port))
     group by src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, port, action
     having min(first_seen) >= $1
     order by min(first_seen), src_ns, dst_ns, src_identity, dst_identity, protocol, port`,
    [from, to],
  );
  return rows.map(withEnds);
}
