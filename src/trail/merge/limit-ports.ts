import type { Query } from '../database/database.ts';
import { manyPorts } from '../many-ports.ts';
import { portSlack } from './limit-bucket-facts.ts';

export interface WantedFact {
  text: string;
  groupId: string;
  port: number;
}

/**
 * Ports that count against the cap: those seen on the current day or the day before, or on several of the last thirty
 * days. After two days, ports of a scan no longer count. Housekeeping folds ports that do not recur; until then, the
 * limit is four times the cap.
 */
const countedPorts = `select group_id,
    case when count(*) >= $3 * ${portSlack} then count(*) else count(*) filter (where last_day >= $4 - 1 or recurs) end as counted
  from (
    select f.group_id, f.fact_id, max(d.day) - date 'epoch' as last_day,
      count(distinct d.day) filter (where d.day > date 'epoch' + $4::int - 30) > 1 as recurs
    from flow_fact f left join flow_fact_day d using (fact_id)
    where f.group_id = any ($1::bigint[]) and f.port <> ${manyPorts}
    group by 1, 2
  ) p group by 1`;

/**
 * Creates the missing facts of these ports. A port beyond the cap of its group becomes the group's row "many".
 * @param day the newest day of the records, in days since 1970
 * @returns the number of new rows
 */
export async function createFacts(
  query: Query,
  lacking: readonly WantedFact[],
  portCap: number,
  day: number,
): Promise<number> {
  const groupIds = lacking.map(({ groupId }) => groupId);
  // Counting a group's ports and adding one must not interleave with another worker doing the same.
  await query('select from flow_group where group_id = any ($1::bigint[]) order by group_id for update', [
    groupIds,
  ]);
  const rows = await query(
    `insert into flow_fact (group_id, port)
     select distinct n.group_id,
       case when n.rank + coalesce(c.counted, 0) <= $3 then n.port else ${manyPorts} end as port
     from (
       select i.group_id, i.port, row_number() over (partition by i.group_id order by i.port < 0, i.port) as rank
       from unnest($1::bigint[], $2::int[]) as i(group_id, port)
       where not exists (select from flow_fact f where f.group_id = i.group_id and f.port = i.port)
     ) n left join (${countedPorts}) c using (group_id)
     order by n.group_id, port
     on conflict do nothing
     returning fact_id`,
    [groupIds, lacking.map(({ port }) => port), portCap, day],
  );
  return rows.length;
}
