import { setTimeout as delay } from 'node:timers/promises';
import { buildWorker } from './compile.ts';
import type { BenchDatabase, Lab } from './lab.ts';
import { upsertEach } from './naive-writer.ts';
import type { Row } from './table.ts';
import { bucketOf, flowsOfBucket, userRecords } from './traffic.ts';
import { BenchWorker } from './worker.ts';

const speed = 60;
const bucketSeconds = 15;
const hourSeconds = 3_600;
/** As often as PostgreSQL makes a checkpoint by default: the first change of a page after one is written whole. */
const checkpointSeconds = 300;

interface Written {
  rows: number;
  walBytes: number;
}

/**
 * What an hour at the user's size costs the database: ours, the whole worker once it has caught up, on a clock that runs
 * sixty times as fast; and the obvious design, one awaited upsert per streamed record into the same table. Ours also keeps
 * the ledger, the facts, their days and traces.
 */
export async function databaseSection(lab: Lab, say: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const ours = await workerHour(lab, say);
  const naive = await naiveHour(lab, say);
  const section = 'database';
  return [
    {
      section,
      what: 'WAL an hour, to an awaited upsert per record',
      value: ours.walBytes / naive.walBytes,
      unit: 'x',
      limit: { atMost: 1 },
      note: 'ours with ledger and facts, the other with edges alone',
    },
    {
      section,
      what: 'rows written an hour, to an awaited upsert per record',
      value: ours.rows / naive.rows,
      unit: 'x',
      limit: { atMost: 1 },
    },
    { section, what: 'WAL an hour', value: ours.walBytes / 2 ** 20, unit: 'MiB' },
    { section, what: 'rows written an hour', value: ours.rows, unit: 'rows' },
    { section, what: 'WAL an hour, upsert per record', value: naive.walBytes / 2 ** 20, unit: 'MiB' },
    { section, what: 'rows written an hour, upsert per record', value: naive.rows, unit: 'rows' },
  ];
}

async function workerHour(lab: Lab, say: (line: string) => void): Promise<Written> {
  const nowMs = Date.now();
  const goldmane = await lab.goldmane({ realAnchorMs: nowMs, anchorMs: nowMs, speed });
  await goldmane.follow(userRecords);
  const worker = await BenchWorker.start(lab, goldmane);
  const clockSeconds = () => (nowMs + (Date.now() - nowMs) * speed) / 1000;
  const steadyAt = clockSeconds() + 3 * hourSeconds;
  say('database: the worker runs for three hours, a second a minute, until all that will recur is known');
  while (clockSeconds() < steadyAt) {
    worker.throwIfEnded();
    await delay(500);
  }
  say('database: the hour that is measured');
  const { database } = worker;
  const before = await written(database);
  const from = clockSeconds();
  let checkpoint = from;
  while (clockSeconds() < from + hourSeconds) {
    if (clockSeconds() >= checkpoint) {
      await database.database.query('checkpoint');
      checkpoint += checkpointSeconds;
    }
    await delay(100);
  }
  const after = await written(database);
  const settled = await worker.settled(from - 1_800, from);
  await worker.stop();
  await goldmane.stop();
  if (settled < 0.9 * (1_800 / bucketSeconds))
    throw new Error(`the worker fell behind: it settled ${settled} buckets of half an hour`);
  return difference(before, after);
}

async function naiveHour(lab: Lab, say: (line: string) => void): Promise<Written> {
  const bench = await lab.database();
  const { database } = bench;
  const start = bucketOf(Date.now() / 1000);
  say('database: an hour of records, an upsert each');
  await upsertEach(database, flowsOfBucket(userRecords, start - bucketSeconds), start - bucketSeconds);
  const before = await written(bench);
  for (let bucket = start; bucket < start + hourSeconds; bucket += bucketSeconds) {
    if ((bucket - start) % checkpointSeconds === 0) await database.query('checkpoint');
    await upsertEach(database, flowsOfBucket(userRecords, bucket), bucket);
  }
  return difference(before, await written(bench));
}

async function written({ database }: BenchDatabase): Promise<Written> {
  // Sessions report what they wrote when they are idle for a moment.
  await delay(1_500);
  const [row] = await database.query<{ rows: number; wal: number }>(
    `select (select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables)::float8 as rows,
       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal`,
  );
  if (!row) throw new Error('the database does not say what was written');
  return { rows: row.rows, walBytes: row.wal };
}

function difference(before: Written, after: Written): Written {
  return { rows: after.rows - before.rows, walBytes: after.walBytes - before.walBytes };
}
