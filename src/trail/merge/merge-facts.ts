import type { Query } from '../database/database.ts';
import { findGroups } from './fact-groups.ts';
import { limitIdentities } from './limit-identities.ts';
import { manyPorts } from '../many-ports.ts';
import { createFacts, type WantedFact } from './limit-ports.ts';
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
