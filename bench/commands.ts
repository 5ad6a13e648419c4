import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatabase, type Database } from '../src/trail/database/database.ts';
import { rollNamespaceDays } from '../src/trail/facts/namespace-observations.ts';
import { buildWorker } from './compile.ts';
import type { Lab } from './lab.ts';
import { median, type Row } from './table.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const timeouts = { connectMs: 10_000, statementMs: 600_000 };

interface Size {
  namespaces: number;
  edges: number;
  days: number;
}

const usual: Size = { namespaces: 90, edges: 400, days: 30 };
const large: Size = { namespaces: 1_000, edges: 23_000, days: 180 };

const week = ['diff', '--from', '7d'];

/** Measures commands as processes, from start to exit. */
export async function commandsSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const rows: Row[] = [
    await timed('node alone, for comparison', { times: 5, isNodeAlone: true }, [], ''),
    await timed('--help', { limit: 0.2, times: 5 }, ['--help'], ''),
  ];
  await withTrail(lab, print, usual, async (_, url) => {
    const about = '90 namespaces, 400 edges: ';
    rows.push(await timed(`${about}edges`, { limit: 0.25, times: 5 }, ['edges'], url));
    for (const args of [['edges', '--dst', 'ns-0001', '--port'], ['completeness'], ['matrix'], week])
      rows.push(await timed(about + args.join(' '), { times: 5 }, args, url));
  });
  await withTrail(lab, print, large, async (database, url) => {
    const about = '1,000 namespaces, 23,000 edges, 180 days: ';
    rows.push(await timed(`${about}edges`, { times: 3 }, ['edges'], url));
    rows.push(await timed(about + week.join(' '), { limit: 5, times: 3 }, week, url));
    rows.push(await timed(`${about}completeness before a roll-up`, { times: 1 }, ['completeness'], url));
    await database.query(`update trail_state set expired_before = date_trunc('day', now(), 'UTC')`);
    await rollNamespaceDays(database.query);
    await database.query('analyze namespace_day');
    rows.push(await timed(`${about}completeness`, { limit: 1, times: 3 }, ['completeness'], url));
    const out = await mkdtemp(join(tmpdir(), 'bench-allowlists-'));
    try {
      const args = ['allowlist', 'derive', '--out', out];
      rows.push(await timed(`${about}all allowlists`, { limit: 10, times: 1 }, args, url));
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  });
  return rows;
}

async function withTrail(
  lab: Lab,
  print: (line: string) => void,
  size: Size,
  work: (database: Database, url: string) => Promise<void>,
): Promise<void> {
  const { url } = await lab.database();
  const database = openDatabase({ url }, { timeouts });
  try {
    print(`commands: creating ${size.edges} edges and their facts of ${size.days} days`);
    // Skips foreign key checks, which would take most of the time.
    await database.transaction(async (query) => {
      await query(`set local session_replication_role = replica`);
      for (const statement of trailOf(size)) await query(statement);
    });
    await database.withClient((client) => client.query('vacuum analyze'));
    await work(database, url);
  } finally {
    await database.close();
  }
}

/** One fact per edge and day, two for every sixth edge, until today. */
function trailOf({ namespaces, edges, days }: Size): string[] {
  const name = (n: string) => `'ns-' || lpad((${n})::text, 4, '0')`;
  const firstDay = `((now() at time zone 'UTC')::date - ${days - 1})`;
  return [
    `insert into edge
     select ${name(`n % ${namespaces}`)}, ${name(`(n % ${namespaces} + 1 + n / ${namespaces} * 7) % ${namespaces}`)},
       case when n % 50 = 0 then 'deny' else 'allow' end, now() - interval '${days} days', now(), 1000
     from generate_series(0, ${edges - 1}) as n`,
    `with g as (
       insert into flow_group
         (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       select 'workload', src_ns, '', 'workload', dst_ns, '', 'tcp', 'src', action from edge returning group_id)
     insert into flow_fact (group_id, port)
     select group_id, 443 from g union all select group_id, 8080 from g where group_id % 11 < 2`,
    `insert into flow_fact_day
     select fact_id, day::date, 0, day + interval '1 second' * (fact_id % 3600), day + interval '23 hours', 50, 16777215
     from generate_series(${firstDay}, ${firstDay} + ${days - 1}, interval '1 day') as day, flow_fact`,
    `insert into coverage values (${firstDay}::timestamp at time zone 'UTC', date_trunc('hour', now()), 'final', null)`,
    `update trail_state set began_at = ${firstDay}::timestamp at time zone 'UTC', decided_until = date_trunc('hour', now())`,
  ];
}

async function timed(
  what: string,
  { limit, times, isNodeAlone = false }: { limit?: number; times: number; isNodeAlone?: boolean },
  args: readonly string[],
  url: string,
): Promise<Row> {
  const env = { PATH: process.env['PATH'], FLOW_TRAIL_STATE_DIR: '/nonexistent', DATABASE_URL: url };
  const seconds: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const began = performance.now();
    await run(process.execPath, isNodeAlone ? ['-e', '0'] : [main, ...args], { env, maxBuffer: 2 ** 28 });
    seconds.push((performance.now() - began) / 1000);
  }
  return {
    section: 'commands',
    what,
    value: median(seconds),
    unit: 's',
    ...(limit === undefined ? {} : { limit: { atMost: limit } }),
  };
}
