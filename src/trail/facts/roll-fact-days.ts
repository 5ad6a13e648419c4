import type { Query } from '../database/database.ts';
import { rollNamespaceDays } from './namespace-observations.ts';

/** Facts per statement: each has up to 31 days a month and policy trace. */
const factsPerStatement = 500;

/**
 * Rolls up whole months that end before `beforeSeconds`: one row per fact, policy trace and month instead of one per
 * day. Each statement handles some facts with all their days, so each month row is written once. Merges reject buckets
 * of that age. Repeating it changes nothing.
 * @returns the number of day rows rolled up
 * @throws DatabaseFailure
 */
export async function rollFactDays(query: Query, beforeSeconds: number): Promise<number> {
  // Namespace days are computed from fact days, so they are rolled up first.
  await rollNamespaceDays(query);
  let rolled = 0;
  let after = '0';
  for (;;) {
    const [row] = await query<{ rolled: number; last: string | null }>(
      `with chunk as (
         select fact_id from flow_fact where fact_id > $2 order by fact_id limit ${factsPerStatement}
       ), gone as (
         delete from flow_fact_day d using chunk c
         where d.fact_id = c.fact_id and d.day < least(date_trunc('month', to_timestamp($1) at time zone 'UTC')::date,
           (select date_trunc('month', expired_before at time zone 'UTC')::date from trail_state))
         returning d.*
       ), kept as (
         insert into flow_fact_month as m (fact_id, month, trace_id, first_seen, last_seen, flow_count, days, hours)
         select fact_id, date_trunc('month', day)::date, trace_id, min(first_seen), max(last_seen), sum(flow_count),
           bit_or(1 << (extract(day from day)::int - 1)), bit_or(hours)
         from gone group by 1, 2, 3 order by 1, 2, 3
         on conflict (fact_id, month, trace_id) do update set
           first_seen = least(m.first_seen, excluded.first_seen),
           last_seen = greatest(m.last_seen, excluded.last_seen),
           flow_count = m.flow_count + excluded.flow_count,
           days = m.days | excluded.days,
           hours = m.hours | excluded.hours
       )
       select (select count(*) from gone)::float8 as rolled, (select max(fact_id) from chunk) as last`,
      [beforeSeconds, after],
    );
    if (!row || row.last === null) return rolled;
    rolled += row.rolled;
    after = row.last;
  }
}
