import { expect, onTestFinished, test } from 'vitest';
import {
  attempts,
  expectComplete,
  openSession,
  untilReadBy,
  untilMerged,
  untilStreaming,
  waitingForLock,
} from '../support/faults.ts';
import { flowTrail } from '../support/cli.ts';
import { until } from '../support/poll.ts';
import { PostgresProxy } from '../support/proxy-postgres.ts';
import { createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

fullTest('a worker killed with -9 during its windows neither loses nor duplicates records', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const first = await world.startWorker();
  await untilReadBy(first, world);
  await world.pass(450);
  await first.kill();
  // The worker could not hand over, so Temporal must detect its end.
  const second = await world.startWorker();
  const taken = await untilReadBy(second, world, 2);
  expect(taken.map(({ lastFailure }) => lastFailure)).toEqual([
    expect.stringMatching(/heartbeat/i),
    expect.stringMatching(/heartbeat/i),
  ]);
  await expectComplete(world);
});

fullTest(
  'a worker killed with -9 in the middle of a merge leaves no partial merge, although its session stays open',
  async () => {
    const world = await createWorld();
    const session = await openSession(world.db.url);
    onTestFinished(() => session.end());
    world.traffic.start(world.goldmane);
    const first = await world.startWorker();
    await untilStreaming(first, world);

    // When the merge of a settled bucket writes the days of facts, it has already written ledger row, edges and facts.
    await session.query('begin; lock table flow_fact_day in exclusive mode');
    const statement = 'insert into flow_fact_day';
    const [merging] = await until('a merge waits for the lock', async () => {
      const waiting = await waitingForLock(world, statement);
      return waiting.length > 0 ? waiting : undefined;
    });
    await first.kill();
    const second = await world.startWorker();
    await untilReadBy(second, world, 2);
    await until('the next merge waits for locks of the first one', async () => {
      const waiting = await waitingForLock(world, '');
      return waiting.some((pid) => pid !== merging) ? true : undefined;
    });
    expect(await waitingForLock(world, statement)).toContain(merging);
    await session.query('rollback');
    await expectComplete(world);
  },
);

test('a merge whose worker is killed with -9 before the commit is acknowledged is not counted again', async () => {
  const world = await createWorld();
  const postgres = await PostgresProxy.listen(world.db.url);
  onTestFinished(() => postgres.close());
  world.traffic.start(world.goldmane);
  const first = await world.startWorker({ DATABASE_URL: postgres.url });
  await untilReadBy(first, world);
  for (const statement of ['insert into edge as e', 'insert into flow_fact_day']) {
    const worker = world.workers.at(-1);
    const link = await postgres.withholdCommit(statement);
    await worker?.kill();
    expect(link.dropped.fromServer).toBeGreaterThan(0);
    const next = await world.startWorker({ DATABASE_URL: postgres.url });
    await untilReadBy(next, world, 2);
  }
  await expectComplete(world);
});

test('on SIGTERM the worker commits streamed records, exits with 0, and hands over without a timeout', async () => {
  // Without new edges, the writer would wait for almost a minute before it merges.
  const world = await createWorld({ traffic: { oneOff: 0 } });
  world.traffic.start(world.goldmane);
  const first = await world.startWorker();
  await untilReadBy(first, world);
  await world.pass(180);
  const delivered = Math.floor((world.nowSeconds() - 45) / 15) * 15;
  expect(await first.terminate()).toBe(0);
  expect(first.messages().at(-1)).toBe('The worker stopped');
  const merged = await untilMerged(world, delivered);
  expect(merged.startSeconds).toBe(delivered);
  expect((await attempts(world)).map(({ lastFailure }) => lastFailure).join()).not.toMatch(
    /heartbeat|timeout/i,
  );
  const { code, out } = await flowTrail(['status'], world.workerEnv());
  expect(code).toBe(3);
  expect(out).toMatch(/No worker responds to queries/);
  // The reader whose worker was stopped did not fail.
  expect(out).not.toMatch(/previous one failed|shutting down/);

  const second = await world.startWorker();
  await untilReadBy(second, world, 2);
  await expectComplete(world);
});

fullTest('with two workers, SIGTERM to the one that runs the readers moves both to the other', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const first = await world.startWorker();
  await untilReadBy(first, world);
  const second = await world.startWorker();
  await until('the second worker polls', () =>
    second.messages().find((line) => line === 'The worker is polling for work'),
  );
  await world.pass(120);
  expect(await first.terminate()).toBe(0);
  const taken = await untilReadBy(second, world, 2);
  expect(taken.map(({ lastFailure }) => lastFailure).join()).not.toMatch(/heartbeat|timeout/i);
  await expectComplete(world);
});
