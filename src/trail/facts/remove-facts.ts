import type { Database } from '../database/database.ts';

interface FactRemoval {
  srcNs: string;
  dstNs: string;
  /** Days since the epoch (UTC); facts of this day and later stay. */
  beforeDay: number;
}

interface RemovedFacts {
  /** Facts that have no days left, and removed days. A rolled-up month counts as one day. */
  facts: number;
  factDays: number;
  /** Records counted on these days, by action. */
  flowCounts: { action: string; flowCount: string }[];
}

/**
 * Removes the facts of flows from one namespace to another before a day: ports, identities, days and policy traces. The edge and its
 * count stay; the table `removal` explains the count from then on. Identities without facts no longer count against their limit.
 * @param isDryRun only counts
 * @throws DatabaseFailure
 */
export function removeFacts(
  database: Database,
  { srcNs, dstNs, beforeDay }: FactRemoval,
  { isDryRun }: { isDryRun: boolean },
): Promise<RemovedFacts> {
  return database.transaction(async (query) => {
    // Merges lock it before flow_fact, too.
    if (!isDryRun) await query('lock table end_identity in share row exclusive mode');
    // A concurrent merge that uses one of these facts waits, fails because the fact is gone, and is retried.
    if (!isDryRun) await query('lock table flow_fact in exclusive mode');
    const old = `g.src_ns = $1 and g.dst_ns = $2 and`;
    const day = `date 'epoch' + $3::int`;
    const counted = await query<{ action: string; days: number; total: string; workload: string }>(
      `with old as (
         select g.action, g.src_kind, g.dst_kind, d.flow_count
         from flow_group g join flow_fact f using (group_id) join flow_fact_day d using (fact_id)
         where ${old} d.day < ${day}
         union all
         select g.action, g.src_kind, g.dst_kind, m.flow_count
         from flow_group g join flow_fact f using (group_id) join flow_fact_month m using (fact_id)
         where ${old} (m.month + interval '1 month')::date <= ${day}
       )
       select action, count(*)::float8 as days, sum(flow_count)::text as total,
         coalesce(sum(flow_count) filter (where src_kind = 'workload' and dst_kind = 'workload'), 0)::text as workload
       from old group by 1 order by 1`,
      [srcNs, dstNs, beforeDay],
    );
    const [emptied] = await query<{ facts: number }>(
      `select count(*)::float8 as facts from flow_group g join flow_fact f using (group_id)
       where ${old} not exists (select from flow_fact_day d where d.fact_id = f.fact_id and d.day >= ${day})
         and not exists (select from flow_fact_month m where m.fact_id = f.fact_id
           and (m.month + interval '1 month')::date > ${day})`,
      [srcNs, dstNs, beforeDay],
    );
    const removed = {
      facts: emptied?.facts ?? 0,
      factDays: counted.reduce((sum, { days }) => sum + days, 0),
      flowCounts: counted.map(({ action, total }) => ({ action, flowCount: total })),
    };
    if (isDryRun || removed.factDays === 0) return removed;
    await query(
      `delete from flow_fact_day d using flow_fact f, flow_group g
       where d.fact_id = f.fact_id and f.group_id = g.group_id and ${old} d.day < ${day}`,
      [srcNs, dstNs, beforeDay],
    );
    await query(
      `delete from flow_fact_month m using flow_fact f, flow_group g
       where m.fact_id = f.fact_id and f.group_id = g.group_id and ${old} (m.month + interval '1 month')::date <= ${day}`,
      [srcNs, dstNs, beforeDay],
    );
    await query(
      `delete from flow_fact f using flow_group g
       where f.group_id = g.group_id and g.src_ns = $1 and g.dst_ns = $2
         and not exists (select from flow_fact_day d where d.fact_id = f.fact_id)
         and not exists (select from flow_fact_month m where m.fact_id = f.fact_id)`,
      [srcNs, dstNs],
    );
    await query(
      // Two conditions, because Postgres compares each identity with each fact if "or" joins them.
      `delete from end_identity e where e.ns = any (array[$1, $2])
         and not exists (select from flow_group g join flow_fact f using (group_id)
           where g.src_ns = e.ns and g.src_kind = e.kind and g.src_identity = e.identity)
         and not exists (select from flow_group g join flow_fact f using (group_id)
           where g.dst_ns = e.ns and g.dst_kind = e.kind and g.dst_identity = e.identity)`,
      [srcNs, dstNs],
    );
    await query(
      `with recorded as (
         insert into removal (src_ns, dst_ns, before_day, facts, fact_days) values ($1, $2, ${day}, $4, $5)
         returning removal_id
       )
       insert into removal_edge (removal_id, action, workload_flow_count, flow_count)
       select removal_id, action, workload, total
       from recorded, unnest($6::text[], $7::bigint[], $8::bigint[]) as i(action, workload, total)`,
      [
        srcNs,
        dstNs,
        beforeDay,
        removed.facts,
        removed.factDays,
        counted.map(({ action }) => action),
        counted.map(({ workload }) => workload),
        counted.map(({ total }) => total),
      ],
    );
    return removed;
  });
}
