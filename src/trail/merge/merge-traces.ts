import type { PolicyTrace } from '../../goldmane/decoder/decode.ts';
import type { Query } from '../database/database.ts';

/** Distinct policy traces stored per fact within `countedDays`; further ones are stored as "other". */
const traceCap = 16;
/** After this many days without it, a trace no longer counts: churn of policies does not cost a fact its traces permanently. */
const countedDays = 7;
/** The id of the trace "other". */
const otherId = '0';

/** A row of `flow_fact`. */
export interface FactRow {
  factId: string;
  /** Ids of all traces seen for it. */
  traces: Set<string>;
  /** Ids of those that count against the cap; absent while all of them fit. */
  counted?: Set<string>;
}

interface Seen {
  row: FactRow;
  trace: PolicyTrace | undefined;
}

type TraceIdOf = (row: FactRow, trace: PolicyTrace | undefined) => string;

/**
 * Stores the policy traces and links each to its fact, up to the cap. A trace's id is its digest. Policy owners can
 * construct two traces with the same digest, so stored texts are compared, and a trace whose id belongs to a different
 * text is stored as "other".
 * @param day the newest day of what was seen, whole days since the Unix epoch
 * @returns the id under which a fact's trace is stored
 * @throws DatabaseFailure
 */
export async function recordTraces(query: Query, seen: readonly Seen[], day: number): Promise<TraceIdOf> {
  await countRecent(query, seen, day);
  const byId = new Map<string, PolicyTrace>();
  for (const { trace } of seen) if (trace && !byId.has(idOf(trace))) byId.set(idOf(trace), trace);
  const added = new Map<FactRow, Set<string>>();
  const used = new Set<string>();
  const collided = new Set<string>();
  const traceIdOf: TraceIdOf = (row, trace) => {
    if (!trace) return otherId;
    const id = idOf(trace);
    const isKnown = countedOf(row).has(id) && byId.get(id)?.text === trace.text && !collided.has(id);
    return isKnown ? id : otherId;
  };
  for (const { row, trace } of seen) {
    if (!trace || byId.get(idOf(trace))?.text !== trace.text) continue;
    const id = idOf(trace);
    const counted = countedOf(row);
    if (!counted.has(id)) {
      if (counted.size >= traceCap) continue;
      counted.add(id);
      if (!row.traces.has(id) || counted === row.traces) {
        row.traces.add(id);
        added.set(row, (added.get(row) ?? new Set()).add(id));
      }
    }
    used.add(id);
  }
  if (used.size === 0) return traceIdOf;
  const isNew = new Set([...added.values()].flatMap((ids) => [...ids]));
  await insertTraces(query, pick(byId, isNew));
  for (const id of await findCollided(query, pick(byId, used))) collided.add(id);
  for (const [row, ids] of added)
    for (const id of ids)
      if (collided.has(id)) {
        ids.delete(id);
        row.traces.delete(id);
        row.counted?.delete(id);
      }
  await listTraces(query, added);
  return traceIdOf;
}

function countedOf({ traces, counted }: FactRow): Set<string> {
  return counted ?? traces;
}

/** Finds which traces count for facts that have reached the cap, unless all that was seen is known. */
async function countRecent(query: Query, seen: readonly Seen[], day: number): Promise<void> {
  const full = new Map<string, FactRow>();
  for (const { row, trace } of seen)
    if (row.traces.size > traceCap || (row.traces.size === traceCap && trace && !row.traces.has(idOf(trace))))
      full.set(row.factId, row);
  if (full.size === 0) return;
  const rows = await query<{ fact_id: string; traces: string[] }>(
    `select fact_id, array_agg(distinct trace_id)::text[] as traces from flow_fact_day
     where fact_id = any ($1::bigint[]) and day > date 'epoch' + $2::int - ${countedDays} and trace_id <> ${otherId}
     group by 1`,
    [[...full.keys()], day],
  );
  for (const row of full.values()) row.counted = new Set();
  for (const { fact_id, traces } of rows) {
    const row = full.get(fact_id);
    if (row) row.counted = new Set(traces);
  }
}

function idOf({ digest }: PolicyTrace): string {
  return BigInt.asIntN(64, digest).toString();
}

function pick(traces: ReadonlyMap<string, PolicyTrace>, ids: ReadonlySet<string>): [string, string][] {
  return [...traces].flatMap(([id, { text }]) => (ids.has(id) ? [[id, text]] : []));
}

async function insertTraces(query: Query, traces: readonly [id: string, text: string][]): Promise<void> {
  if (traces.length === 0) return;
  await query(
    `insert into policy_trace (trace_id, trace)
     select * from unnest($1::bigint[], $2::jsonb[]) as i(trace_id, trace) order by trace_id on conflict do nothing`,
    [traces.map(([id]) => id), traces.map(([, text]) => text)],
  );
}

/** @returns the ids that are stored with a different trace */
async function findCollided(query: Query, traces: readonly [id: string, text: string][]): Promise<string[]> {
  const rows = await query<{ trace_id: string }>(
    `select p.trace_id from unnest($1::bigint[], $2::jsonb[]) as i(trace_id, trace)
     join policy_trace p using (trace_id) where p.trace <> i.trace`,
    [traces.map(([id]) => id), traces.map(([, text]) => text)],
  );
  return rows.map(({ trace_id }) => trace_id);
}

async function listTraces(query: Query, added: ReadonlyMap<FactRow, ReadonlySet<string>>): Promise<void> {
  const pairs = [...added].flatMap(([{ factId }, ids]) => [...ids].map((id) => ({ factId, id })));
  if (pairs.length === 0) return;
  await query(
    `update flow_fact f set traces = array(
       select distinct t from unnest(f.traces || i.traces) t order by t)
     from (select fact_id, array_agg(trace_id) as traces
       from unnest($1::bigint[], $2::bigint[]) as p(fact_id, trace_id) group by fact_id order by fact_id) i
     where f.fact_id = i.fact_id`,
    [pairs.map(({ factId }) => factId), pairs.map(({ id }) => id)],
  );
}
