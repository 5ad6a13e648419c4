import { setTimeout as delay } from 'node:timers/promises';
import { hourSeconds } from '../src/time/units.ts';
import { buildWorker } from './compile.ts';
import type { BenchDatabase, Lab } from './lab.ts';
import { upsertEach } from './naive-writer.ts';
import type { Row } from './table.ts';
import { bucketOf, flowsOfBucket, userRecords } from './traffic.ts';
import { BenchWorker } from './worker.ts';

const speed = 60;
const bucketSeconds = 15;
/**
 * PostgreSQL's default checkpoint interval: after a checkpoint, the first change of each page writes the whole page.
 */
const checkpointSeconds = 300;

interface Written {
  rows: number;
  walBytes: number;
}

/**
 * Measures the database load of an hour at the user's size for two designs: the whole worker after it has caught up, on
 * a clock sixty times as fast; and the obvious design, one awaited upsert per streamed record into the same table. The
 * worker also writes the ledger, facts, days and traces.
 */
export async function databaseSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const ours = await workerHour(lab, print);
  const naive = await naiveHour(lab, print);
  const section = 'database';
  return [
    {
      section,
      what: 'WAL per hour, relative to an upsert per record',
      value: ours.walBytes / naive.walBytes,
      unit: 'x',
      limit: { atMost: 1 },
      note: 'the worker with ledger and facts, the other design with only edges',
    },
    {
      section,
      what: 'rows written per hour, relative to an upsert per record',
      value: ours.rows / naive.rows,
      unit: 'x',
      limit: { atMost: 1 },
    },
    { section, what: 'WAL per hour', value: ours.walBytes / 2 ** 20, unit: 'MiB' },
    { section, what: 'rows written per hour', value: ours.rows, unit: 'rows' },
    { section, what: 'WAL per hour, upsert per record', value: naive.walBytes / 2 ** 20, unit: 'MiB' },
    { section, what: 'rows written per hour, upsert per record', value: naive.rows, unit: 'rows' },
  ];
}

async function workerHour(lab: Lab, print: (line: string) => void): Promise<Written> {
  const nowMs = Date.now();
  const goldmane = await lab.goldmane({ realAnchorMs: nowMs, anchorMs: nowMs, speed });
  await goldmane.follow(userRecords);
  const worker = await BenchWorker.start(lab, goldmane);
  const clockSeconds = () => (nowMs + (Date.now() - nowMs) * speed) / 1000;
  const steadyAt = clockSeconds() + 3 * hourSeconds;
  print('database: warming up the worker for three hours of its clock, until all recurring keys are known');
  while (clockSeconds() < steadyAt) {
    worker.throwIfEnded();
    await delay(500);
  }
  print('database: measuring one hour');
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
    throw new Error(`the worker fell behind: it settled only ${settled} buckets of half an hour`);
  return difference(before, after);
}

async function naiveHour(lab: Lab, print: (line: string) => void): Promise<Written> {
  const bench = await lab.database();
  const { database } = bench;
  const start = bucketOf(Date.now() / 1000);
  print('database: upserting each record of an hour');
  await upsertEach(database, flowsOfBucket(userRecords, start - bucketSeconds), start - bucketSeconds);
  const before = await written(bench);
  for (let bucket = start; bucket < start + hourSeconds; bucket += bucketSeconds) {
    if ((bucket - start) % checkpointSeconds === 0) await database.query('checkpoint');
    await upsertEach(database, flowsOfBucket(userRecords, bucket), bucket);
  }
  return difference(before, await written(bench));
}

async function written({ database }: BenchDatabase): Promise<Written> {
  // Sessions report their statistics when they are briefly idle.
  await delay(1_500);
  const [row] = await database.query<{ rows: number; wal: number }>(
    `select (select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables)::float8 as rows,
       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal`,
  );
  if (!row) throw new Error('the database reports no write statistics');
  return { rows: row.rows, walBytes: row.wal };
}

function difference(before: Written, after: Written): Written {
  return { rows: after.rows - before.rows, walBytes: after.walBytes - before.walBytes };
}
