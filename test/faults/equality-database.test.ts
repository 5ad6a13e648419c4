import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startPostgres, type Postgres } from '../../dev/postgres/server.ts';
import { readLedger } from '../../src/trail/merge/ledger.ts';
import {
  bucketNow,
  expectComplete,
  failuresIn,
  metric,
  openSession,
  untilFailure,
  untilMerged,
  untilStreaming,
} from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { PostgresProxy } from '../support/proxy-postgres.ts';
import { createWorld } from '../support/world.ts';
import { casesOf, fullTest } from '../support/full.ts';
import { folderPerFile } from '../support/folder.ts';

/** A separate server for this file, because the tests stop it. */
let postgres: Postgres;

const folder = folderPerFile();
beforeAll(async () => {
  postgres = await startPostgres({ dataDir: folder });
});
afterEach(() => postgres.start());
afterAll(() => postgres.remove());

test.each(casesOf(['kill', 'stop'] as const))(
  'nothing is lost when Postgres is down for minutes (%s)',
  async (end) => {
    const world = await createWorld({ postgresUrl: postgres.url });
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilStreaming(worker, world);
    await world.pass(420);
    await postgres[end]();
    await until(
      'the database is unavailable',
      () =>
        [...failuresIn(worker, 'connection_refused'), ...failuresIn(worker, 'lost')].length > 0 || undefined,
    );
    await world.pass(200);
    await postgres.start();
    await untilMerged(world, bucketNow(world));
    await expectComplete(world);
  },
);

fullTest.each([
  ['the stream', 'insert into edge as e'],
  ['a settled bucket', 'insert into flow_fact_day'],
])('a commit of %s whose reply is lost is not counted again', async (_what, statement) => {
  const world = await createWorld({ postgresUrl: postgres.url });
  const proxy = await PostgresProxy.listen(world.db.url);
  onTestFinished(() => proxy.close());
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ DATABASE_URL: proxy.url });
  await untilStreaming(worker, world);
  const link = await proxy.withholdCommit(statement);
  // The worker waits for a reply that the proxy withholds. Then its connection is closed.
  await world.pass(60);
  expect(link.dropped.fromServer).toBeGreaterThan(0);
  expect(link.closedBy.size).toBe(0);
  link.cut();
  await untilFailure(worker, 'lost');
  await expectComplete(world);
});

fullTest('a database outage of 45 minutes loses nothing', async () => {
  const world = await createWorld({
    postgresUrl: postgres.url,
    speed: 60,
    traffic: { recurring: 12, oneOff: 2 },
  });
  const proxy = await PostgresProxy.listen(world.db.url);
  onTestFinished(() => proxy.close());
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ DATABASE_URL: proxy.url });
  await untilStreaming(worker, world);
  proxy.proxy.down();
  const downSeconds = world.nowSeconds();
  await world.pass(45 * 60);
  const merged = (await readLedger(world.db.database.query, 0)).at(-1);
  expect(merged?.startSeconds).toBeLessThan(downSeconds);
  proxy.proxy.up();
  await expectComplete(world);
  const settled = await metric(worker, 'flow_trail_buckets_settled_total');
  expect(settled).toBeGreaterThan((45 * 60) / 15);
});

fullTest('nothing is lost when the role’s password changes before the worker receives the file', async () => {
  const world = await createWorld({ postgresUrl: postgres.url });
  const session = await openSession(world.db.url);
  const file = join(world.scratch, 'database-url');
  const rotate = async (password: string, statement: 'create' | 'alter') => {
    await session.query(`${statement} role trail_${process.pid} login password '${password}'`);
    const url = new URL(world.db.url);
    url.username = `trail_${process.pid}`;
    url.password = password;
    return url.href;
  };
  await writeFile(file, await rotate('first-secret', 'create'));
  await session.query(`grant create, usage on schema public to trail_${process.pid}`);
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ DATABASE_URL: undefined, DATABASE_URL_FILE: file });
  await untilStreaming(worker, world);

  const next = await rotate('second-secret', 'alter');
  await session.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
    `trail_${process.pid}`,
  ]);
  await untilFailure(worker, 'password_refused');
  await world.pass(100);
  await writeFile(file, next);
  await untilMerged(world, bucketNow(world));
  expect(worker.lines.join()).not.toMatch(/first-secret|second-secret/);
  await session.end();
  await expectComplete(world);
});
