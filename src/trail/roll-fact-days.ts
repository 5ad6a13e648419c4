import type { Query } from './database.ts';
import { rollNamespaceDays } from './observations.ts';

/**
 * Rolls up whole months that end before `beforeSeconds`: one row per fact, policy trace and month instead of one per day. Each day is
 * one statement. Merges refuse buckets of that age, and repeating it changes nothing.
 * @returns rows of days that were rolled up
 * @throws DatabaseFailure
 */
export async function rollFactDays(query: Query, beforeSeconds: number): Promise<number> {
  // The namespaces' days are read from the facts' days, so they are rolled up first.
  await rollNamespaceDays(query);
  let rolled = 0;
  for (;;) {
    const rows = await query<{ rolled: number }>(
      `with oldest as (
         select min(day) as day from flow_fact_day
         where day < least(date_trunc('month', to_timestamp($1) at time zone 'UTC')::date,
           (select (expired_before at time zone 'UTC')::date from trail_state))
       ), gone as (
         delete from flow_fact_day d using oldest o where d.day = o.day returning d.*
       ), kept as (
         insert into flow_fact_month as m (fact_id, month, trace_id, first_seen, last_seen, flow_count, days, hours)
         select fact_id, date_trunc('month', day)::date, trace_id, first_seen, last_seen, flow_count,
           1 << (extract(day from day)::int - 1), hours
         from gone order by 1, 2, 3
         on conflict (fact_id, month, trace_id) do update set
           first_seen = least(m.first_seen, excluded.first_seen),
           last_seen = greatest(m.last_seen, excluded.last_seen),
           flow_count = m.flow_count + excluded.flow_count,
           days = m.days | excluded.days,
           hours = m.hours | excluded.hours
       )
       select count(*)::float8 as rolled from gone`,
      [beforeSeconds],
    );
    const count = rows[0]?.rolled ?? 0;
    if (count === 0) return rolled;
    rolled += count;
  }
}
