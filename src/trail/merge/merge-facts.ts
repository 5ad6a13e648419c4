import type { Query } from '../database/database.ts';
import { findGroups } from './fact-groups.ts';
import { limitIdentities } from './limit-identities.ts';
import { manyPorts } from '../many-ports.ts';
import { portSlack } from './limit-facts.ts';
import { mergeDays } from './merge-days.ts';
import { recordTraces, type FactRow } from './merge-traces.ts';
import type { FactDelta } from './merge-plan.ts';
import { factGroupText, type FactKey } from '../record.ts';

interface MergedFacts {
  /** Facts that had no row before. */
  newFacts: number;
  /** Facts that lost an identity, and the namespaces of these identities. */
  limitedFacts: number;
  limitedNamespaces: string[];
}

/**
 * Adds the changes to the facts, their days and their policy traces. A new port beyond `portCap` distinct ones of its group is stored
 * as "many". A group includes reporter and action, so a denied port scan does not affect allowed ports. A new identity beyond
 * `identityCap` of its namespace is not stored.
 */
export async function mergeFacts(
  query: Query,
  planned: FactDelta[],
  { portCap, identityCap }: { portCap: number; identityCap: number },
): Promise<MergedFacts> {
  if (planned.length === 0) return { newFacts: 0, limitedFacts: 0, limitedNamespaces: [] };
  const { deltas, limitedFacts, limitedNamespaces } = await limitIdentities(query, planned, {
    cap: identityCap,
  });
  const facts = new Map<string, FactKey>();
  for (const { fact } of deltas) facts.set(factText(fact), fact);
  const groupIds = await findGroups(query, [...facts.values()]);
  const wanted = [...facts].map(([text, fact]) => ({
    text,
    groupId: groupIds.get(factGroupText(fact)) ?? missing(),
    port: fact.port,
  }));
  const day = deltas.reduce((newest, delta) => Math.max(newest, delta.day), 0);
  let found = await findFacts(query, wanted);
  const lacking = wanted.filter(({ text }) => !found.has(text));
  let created = 0;
  if (lacking.length > 0) {
    created = await createFacts(query, lacking, portCap, day);
    found = await findFacts(query, wanted, true);
  }
  const seen = deltas.map((delta) => ({ delta, row: found.get(factText(delta.fact)) ?? missing() }));
  const traceIdOf = await recordTraces(
    query,
    seen.map(({ delta: { trace }, row }) => ({ row, trace })),
    day,
  );
  await mergeDays(
    query,
    seen.map(({ delta, row }) => ({ delta, factId: row.factId, traceId: traceIdOf(row, delta.trace) })),
  );
  return { newFacts: created, limitedFacts, limitedNamespaces };
}

function factText(fact: FactKey): string {
  return `${factGroupText(fact)}\n${fact.port}`;
}

function missing(): never {
  throw new Error('a row written by this transaction cannot be read back');
}

interface WantedFact {
  text: string;
  groupId: string;
  port: number;
}

/** @param orMany whether a port without a row gets its group's row "many" */
async function findFacts(
  query: Query,
  wanted: readonly WantedFact[],
  orMany = false,
): Promise<Map<string, FactRow>> {
  const rows = await query<{ position: number; fact_id: string; traces: string[] }>(
    `select distinct on (i.position) i.position::int, f.fact_id, f.traces::text[] as traces
     from unnest($1::bigint[], $2::int[]) with ordinality as i(group_id, port, position)
     join flow_fact f on f.group_id = i.group_id and (f.port = i.port or ($3 and f.port = ${manyPorts}))
     order by i.position, f.port desc`,
    [wanted.map(({ groupId }) => groupId), wanted.map(({ port }) => port), orMany],
  );
  const found = new Map<string, FactRow>();
  const byId = new Map<string, FactRow>();
  for (const { position, fact_id, traces } of rows) {
    const entry = wanted[position - 1];
    const row = byId.get(fact_id) ?? { factId: fact_id, traces: new Set(traces) };
    byId.set(fact_id, row);
    if (entry) found.set(entry.text, row);
  }
  return found;
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

async function createFacts(
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
