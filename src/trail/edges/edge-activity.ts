import type { Query } from '../database/database.ts';
import type { EdgeRow } from './query-edges.ts';

/** An edge, and whether its facts were seen in the days before each of two times. */
export interface EdgeActivity extends EdgeRow {
  seenBeforeFrom: boolean;
  seenBeforeTo: boolean;
}

/**
 * All edges first seen before `to`, with their activity in the `days` UTC days up to and including each time's day.
 * @throws DatabaseFailure
 */
export function readEdgeActivity(
  query: Query,
  { from, to, days }: { from: Date; to: Date; days: number },
): Promise<EdgeActivity[]> {
  return query<EdgeActivity>(
    `with active as (
       select g.src_ns, g.dst_ns, g.action,
         bool_or(d.day > ($1::timestamptz at time zone 'UTC')::date - $3::int
           and d.day <= ($1::timestamptz at time zone 'UTC')::date and d.first_seen < $1) as before_from,
         bool_or(d.day > ($2::timestamptz at time zone 'UTC')::date - $3::int
           and d.day <= ($2::timestamptz at time zone 'UTC')::date and d.first_seen < $2) as before_to
       from flow_group g join flow_fact f using (group_id) join flow_fact_days d using (fact_id)
       where g.src_kind = 'workload' and g.dst_kind = 'workload' and g.src_ns <> g.dst_ns
         and d.day > ($1::timestamptz at time zone 'UTC')::date - $3::int
         and d.last_day > ($1::timestamptz at time zone 'UTC')::date - $3::int
         and d.day <= ($2::timestamptz at time zone 'UTC')::date
       group by 1, 2, 3
     )
     select e.src_ns as "srcNs", e.dst_ns as "dstNs", e.action, e.first_seen as "firstSeen",
       e.last_seen as "lastSeen", e.flow_count::text as "flowCount",
       coalesce(a.before_from, false)
         or (e.first_seen < $1 and e.last_seen >= $1 - make_interval(days => $3) and e.last_seen < $1)
         as "seenBeforeFrom",
       coalesce(a.before_to, false)
         or (e.last_seen >= $2 - make_interval(days => $3) and e.last_seen < $2)
         as "seenBeforeTo"
     from edge e left join active a using (src_ns, dst_ns, action)
     where e.first_seen < $2
     order by e.src_ns, e.dst_ns, e.action`,
    [from, to, days],
  );
}
