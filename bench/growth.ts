import { readEvidenceAndTraces, readTracedEvidence } from '../src/trail/facts/evidence.ts';
import { openDatabase, type Database, type Query } from '../src/trail/database/database.ts';
import { readFactHistory } from '../src/trail/facts/fact-history.ts';
import { queryFacts } from '../src/trail/facts/query-facts.ts';
import { rollFactDays } from '../src/trail/facts/roll-fact-days.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';

const section = 'growth';
const sizes = [
  { edges: 360, days: 30 },
  { edges: 360, days: 180 },
  { edges: 4_000, days: 92 },
  { edges: 23_000, days: 61 },
] as const;
/** Days that are not rolled up; the default of FACT_DAYS_KEEP is 400. */
const keptDays = 30;
const edgesPerNamespace = 12;
const secondsPerDay = 86_400;
/** The day after the kept days is the first of a month, so that all older days are rolled up. */
const end = Date.parse('2026-07-01T00:00:00Z') / 1000;
const mib = 2 ** 20;

/**
 * Measures the size of facts, by day and rolled up by month, and the effect on query times. Each edge has two facts:
 * one is seen every day and the other once a week, which makes 1.14 rows per edge and day. Days are written in order,
 * each row three times, and vacuumed once a week.
 */
export async function growthSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) rows.push(...(await grow(lab, size, print)));
  return rows;
}

async function grow(
  lab: Lab,
  { edges, days }: (typeof sizes)[number],
  print: (line: string) => void,
): Promise<Row[]> {
  const { url } = await lab.database();
  const database = openDatabase({ url }, { timeouts: { connectMs: 10_000, statementMs: 600_000 } });
  try {
    const name = `${edges.toLocaleString('en-US')} edges, ${days} days`;
    print(`growth: writing ${name}`);
    await writeFacts(database.query, edges);
    for (let day = days; day > 0; day -= 1) {
      await writeDay(database.query, end / secondsPerDay - day);
      if (day % 7 === 0) await vacuum(database, 'flow_fact_day');
    }
    await vacuum(database, '');
    const byDay = await sizeOf(database.query, 'flow_fact_day');
    const before = await timeQuestions(database.query);
    const perYear = (byDay.bytes / days) * 365;
    const measured: Row[] = [
      { section, what: `${name}: rows of days`, value: byDay.rows, unit: 'rows' },
      { section, what: `${name}: table, per row`, value: byDay.tableBytes / byDay.rows, unit: 'B' },
      { section, what: `${name}: index, per row`, value: byDay.indexBytes / byDay.rows, unit: 'B' },
      { section, what: `${name}: table and index`, value: byDay.bytes / mib, unit: 'MiB' },
      {
        section,
        what: `${name}: per year at this rate`,
        value: perYear / mib,
        unit: 'MiB',
        note: 'extrapolated',
      },
    ];
    if (days <= keptDays) return measured;
    print(`growth: rolling up ${name}`);
    // Only days whose buckets have left the ledger are rolled up.
    await database.query('update trail_state set expired_before = to_timestamp($1)', [end]);
    const rolled = await rollFactDays(database.query, end - keptDays * secondsPerDay);
    await vacuum(database, '');
    const byMonth = await sizeOf(database.query, 'flow_fact_month');
    const after = await timeQuestions(database.query);
    return [
      ...measured,
      {
        section,
        what: `${name}: rows of months, relative to the days they replace`,
        value: byMonth.rows / rolled,
        unit: 'x',
      },
      {
        section,
        what: `${name}: bytes of months, relative to the days they replace`,
        value: byMonth.bytes / ((byDay.bytes / byDay.rows) * rolled),
        unit: 'x',
        limit: { atMost: 0.1 },
      },
      ...Object.entries(after).map(([question, ms]): Row => ({
        section,
        what: `${name}: ${question}, rolled up relative to by day`,
        value: ms / (before[question] ?? Number.NaN),
        unit: 'x',
        // Most queries take milliseconds, so the ratio is noisy; a plan that expands all months took 20 times as long.
        limit: { atMost: 3 },
        note: `${Math.round(ms)} ms`,
      })),
    ];
  } finally {
    await database.close();
  }
}

async function writeFacts(query: Query, edges: number): Promise<void> {
  await query(
    `with pair as (
       select 'ns-' || n / $2::int as src, 'ns-' || (n / $2::int + 1 + n % $2::int * 7) % greatest(1, $1::int / $2::int) as dst
       from generate_series(0, $1::int - 1) as n
     ), edged as (
       insert into edge select distinct src, dst, 'allow', to_timestamp(0), to_timestamp(0), 0 from pair on conflict do nothing
     ), grouped as (
       insert into flow_group (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       select 'workload', src, '', 'workload', dst, '', 'tcp', reporter, 'allow'
       from pair, unnest(array['src', 'dst']) as reporter
       on conflict do nothing returning group_id
     )
     insert into flow_fact (group_id, port) select group_id, 8080 from grouped`,
    [edges, edgesPerNamespace],
  );
}

/** @param day since the epoch */
async function writeDay(query: Query, day: number): Promise<void> {
  await query(
    `insert into flow_fact_day
     select fact_id, date 'epoch' + $1::int, 0, to_timestamp($1::int * 86400), to_timestamp($1::int * 86400 + 15), 1, 1
     from flow_fact where fact_id % 2 = 0 or fact_id % 14 = ($1::int * 2 + 1) % 14 order by fact_id`,
    [day],
  );
  for (const hour of [8, 23])
    await query(
      `update flow_fact_day set flow_count = flow_count + $2 * 200, hours = hours | (1 << $2),
         last_seen = to_timestamp($1::int * 86400 + $2 * 3600)
       where day = date 'epoch' + $1::int`,
      [day, hour],
    );
}

async function vacuum(database: Database, table: string): Promise<void> {
  await database.withClient(async (client) => {
    await client.query(`vacuum analyze ${table}`);
  });
}

async function sizeOf(query: Query, table: string) {
  const [row] = await query<{ rows: number; table_bytes: number; index_bytes: number }>(
    `select (select count(*) from ${table})::float8 as rows, pg_table_size('${table}')::float8 as table_bytes,
       pg_indexes_size('${table}')::float8 as index_bytes`,
  );
  if (!row) throw new Error('the database reports no size');
  const { rows, table_bytes: tableBytes, index_bytes: indexBytes } = row;
  return { rows, tableBytes, indexBytes, bytes: tableBytes + indexBytes };
}

/**
 * Milliseconds of typical queries of people and jobs; the minimum of several runs, to exclude other load on the
 * machine.
 */
async function timeQuestions(query: Query): Promise<Record<string, number>> {
  const toDay = end / secondsPerDay;
  const namespace = 'ns-3';
  const questions: Record<string, () => Promise<unknown>> = {
    'facts of a namespace': () => queryFacts(query, { ns: namespace, external: false, limit: 100 }),
    'evidence of a namespace, all days': () =>
      readEvidenceAndTraces(query, { fromDay: 0, toDay, namespaces: [namespace] }),
    'evidence of all, 14 days': () => readTracedEvidence(query, { fromDay: toDay - 14, toDay }),
    'incident of a namespace, one hour': () => readFactHistory(query, namespace, end - 90_000, end - 86_400),
  };
  const times: Record<string, number> = {};
  for (const [question, ask] of Object.entries(questions)) {
    const ms: number[] = [];
    for (let n = 0; n < 15; n += 1) {
      const began = performance.now();
      await ask();
      ms.push(performance.now() - began);
    }
    times[question] = Math.min(...ms);
  }
  return times;
}
