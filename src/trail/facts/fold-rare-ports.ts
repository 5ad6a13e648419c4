import type { Database } from '../database/database.ts';
import { manyPorts } from '../many-ports.ts';

/** Ports seen within this number of days are not folded. */
const recentDays = 7;

/**
 * Folds ports of groups with more than `portCap` ports into "many" until the cap is met, starting with ports seen on
 * the fewest days and, among those, the oldest. A port scan does not displace ports that recur, and the number of facts
 * stays bounded.
 * @returns the number of folded facts
 * @throws DatabaseFailure
 */
export function foldRarePorts(database: Database, portCap: number, nowSeconds: number): Promise<number> {
  return database.transaction(async (query) => {
    const rare = await query<{ fact_id: string; group_id: string }>(
      `with crowded as (
         select group_id, count(*) - $1 as excess from flow_fact where port <> ${manyPorts}
         group by 1 having count(*) > $1
       ), seen as (
         select f.group_id, f.fact_id, c.excess, count(distinct d.day) as days, max(d.day) as last_day
         from crowded c join flow_fact f using (group_id) left join flow_fact_days d using (fact_id)
         where f.port <> ${manyPorts} group by 1, 2, 3
       ), ranked as (
         select group_id, fact_id, excess, last_day,
           row_number() over (partition by group_id order by days, last_day, fact_id) as rank
         from seen
       )
       select fact_id, group_id from ranked
       where rank <= excess and last_day < (to_timestamp($2) at time zone 'UTC')::date - ${recentDays}`,
      [portCap, nowSeconds],
    );
    if (rare.length === 0) return 0;
    const factIds = rare.map(({ fact_id }) => fact_id);
    await query('lock table flow_fact in exclusive mode');
    await query(
      `insert into flow_fact (group_id, port)
       select distinct group_id, ${manyPorts} from unnest($1::bigint[]) as i(group_id) order by 1
       on conflict do nothing`,
      [rare.map(({ group_id }) => group_id)],
    );
    for (const { table, unit, extra } of [
      { table: 'flow_fact_day', unit: 'day', extra: '' },
      { table: 'flow_fact_month', unit: 'month', extra: 'days' },
    ]) {
      const bitmaps = extra === '' ? ['hours'] : [extra, 'hours'];
      await query(
        `with gone as (delete from ${table} where fact_id = any ($1::bigint[]) returning *)
         insert into ${table} as t (fact_id, ${unit}, trace_id, first_seen, last_seen, flow_count, ${bitmaps.join(', ')})
         select m.fact_id, g.${unit}, 0, min(g.first_seen), max(g.last_seen), sum(g.flow_count),
           ${bitmaps.map((name) => `bit_or(g.${name})`).join(', ')}
         from gone g join flow_fact f on f.fact_id = g.fact_id
         join flow_fact m on m.group_id = f.group_id and m.port = ${manyPorts}
         group by 1, 2 order by 1, 2
         on conflict (fact_id, ${unit}, trace_id) do update set
           first_seen = least(t.first_seen, excluded.first_seen),
           last_seen = greatest(t.last_seen, excluded.last_seen),
           flow_count = t.flow_count + excluded.flow_count,
           ${bitmaps.map((name) => `${name} = t.${name} | excluded.${name}`).join(', ')}`,
        [factIds],
      );
    }
    await query('delete from flow_fact where fact_id = any ($1::bigint[])', [factIds]);
    return factIds.length;
  });
}
