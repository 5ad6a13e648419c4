import type { Query } from '../database/database.ts';

/** A day (UTC) on which a namespace was seen at either end of a flow. */
export interface NamespaceDay {
  /** Days since the epoch. */
  day: number;
  firstSeconds: number;
  lastSeconds: number;
  /** Bitmap of the hours (UTC) in which it was the source, bit n for hour n. */
  egressHours: number;
}

/** The times at which one namespace was seen. */
export interface NamespaceObservation {
  namespace: string;
  /** From flow facts, oldest first; empty if the namespace was only streamed. */
  days: NamespaceDay[];
  /**
   * The number of edges from this namespace, with any action, and when the newest was first seen; undefined if there is
   * none.
   */
  egressEdges: number;
  newestEgressEdgeSeconds: number | undefined;
  /** When any edge with it at either end was first and last seen. */
  edgesFirstSeconds: number | undefined;
  edgesLastSeconds: number | undefined;
}

/** Days per statement: the first roll-up of an old trail can cover years. */
const daysPerRoll = 31;

const factDays = `select n.namespace, d.day, min(d.first_seen) as first_seen, max(d.last_seen) as last_seen,
    bit_or(case when n.is_source then d.hours else 0 end) as egress_hours
  from flow_fact_day d join flow_fact f using (fact_id) join flow_group g using (group_id)
  cross join lateral (values (g.src_ns, true), (g.dst_ns, false)) as n(namespace, is_source)
  where n.namespace <> ''`;

/**
 * Rolls up days that can no longer change because merges reject all their buckets. Two workers may call it at the same
 * time, and repeating it changes nothing.
 * @returns the number of rows added
 * @throws DatabaseFailure
 */
export async function rollNamespaceDays(query: Query): Promise<number> {
  let added = 0;
  for (;;) {
    const [range] = await query<{ from_day: string | null; to_day: string }>(
      `select (select min(day) from flow_fact_day where day >= r.from_day)::text as from_day,
         r.to_day::text as to_day
       from (select coalesce((select max(day) + 1 from namespace_day), '-infinity') as from_day,
         (expired_before at time zone 'UTC')::date as to_day from trail_state) r
       where r.from_day < r.to_day`,
    );
    if (range?.from_day === null || range === undefined) return added;
    const rows = await query(
      `insert into namespace_day (namespace, day, first_seen, last_seen, egress_hours)
       ${factDays} and d.day >= $1::date and d.day < least($2::date, $1::date + ${daysPerRoll})
       group by 1, 2 order by 1, 2 on conflict do nothing returning 1`,
      [range.from_day, range.to_day],
    );
    if (rows.length === 0) return added;
    added += rows.length;
  }
}

interface ObservationRow {
  namespace: string;
  days: string | null;
  firsts: string | null;
  lasts: string | null;
  hours: string | null;
  egress_edges: number;
  newest_egress: number | null;
  edges_first: number | null;
  edges_last: number | null;
}

/** All namespaces seen at either end of a flow, ordered by name. @throws DatabaseFailure */
export async function readObservations(query: Query): Promise<NamespaceObservation[]> {
  const [rolled] = await query<{ until: string }>(
    `select coalesce((select max(day) from namespace_day), '-infinity')::text as until`,
  );
  const rows = await query<ObservationRow>(
    `with seen as (
       select namespace, day, first_seen, last_seen, egress_hours from namespace_day where day <= $1::date
       union all ${factDays} and d.day > $1::date group by 1, 2
     ), by_facts as (
       -- Lists as text: parsing arrays takes the client longer than the whole query.
       select namespace, string_agg((day - date 'epoch')::text, ',' order by day) as days,
         string_agg(date_part('epoch', first_seen)::text, ',' order by day) as firsts,
         string_agg(date_part('epoch', last_seen)::text, ',' order by day) as lasts,
         string_agg(egress_hours::text, ',' order by day) as hours
       from seen group by 1
     ), by_edges as (
       select n.namespace, (count(*) filter (where n.is_source))::float8 as egress_edges,
         max(e.first_seen) filter (where n.is_source) as newest_egress,
         min(e.first_seen) as edges_first, max(e.last_seen) as edges_last
       from edge e cross join lateral (values (e.src_ns, true), (e.dst_ns, false)) as n(namespace, is_source)
       group by 1
     )
     select namespace, f.days, f.firsts, f.lasts, f.hours, coalesce(e.egress_edges, 0) as egress_edges,
       extract(epoch from e.newest_egress)::float8 as newest_egress,
       extract(epoch from e.edges_first)::float8 as edges_first,
       extract(epoch from e.edges_last)::float8 as edges_last
     from by_facts f full join by_edges e using (namespace) order by namespace`,
    [rolled?.until ?? '-infinity'],
  );
  return rows.map((row) => ({
    namespace: row.namespace,
    days: daysOf(row),
    egressEdges: row.egress_edges,
    newestEgressEdgeSeconds: row.newest_egress ?? undefined,
    edgesFirstSeconds: row.edges_first ?? undefined,
    edgesLastSeconds: row.edges_last ?? undefined,
  }));
}

function daysOf({ days, firsts, lasts, hours }: ObservationRow): NamespaceDay[] {
  const [first, last, egress] = [numbersIn(firsts), numbersIn(lasts), numbersIn(hours)];
  return numbersIn(days).map((day, index) => ({
    day,
    firstSeconds: first[index] ?? 0,
    lastSeconds: last[index] ?? 0,
    egressHours: egress[index] ?? 0,
  }));
}

function numbersIn(list: string | null): number[] {
  return list === null ? [] : list.split(',').map(Number);
}
