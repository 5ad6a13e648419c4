import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { loadConfig } from '../../src/config/config.ts';
import { connectGoldmane } from '../../src/goldmane/connection.ts';
import { openDatabase } from '../../src/trail/database/database.ts';
import { testDeps } from '../integration/deps.ts';
import { attempts, expectComplete, metric, untilReadBy, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { TcpProxy } from '../support/proxy.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

fullTest('two pairs of readers on one database count each record once', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  const others = readBesideWorker(world);
  try {
    await until('both pairs follow the stream', () =>
      world.goldmane.stats().streams === 2 ? true : undefined,
    );
    await world.pass(500);
    await expectComplete(world);
    for (const reader of ['stream', 'settle'])
      expect(await metric(worker, 'flow_trail_merges_total', { reader })).toBeGreaterThan(0);
    expect(others.merged).toEqual(new Set(['stream', 'settle']));
  } finally {
    await others.stop();
  }
});

fullTest(
  'an attempt that lost its connection to Temporal keeps running beside its successor, and each record is counted once',
  async () => {
    const world = await createWorld();
    const proxy = await TcpProxy.listen(world.temporalAddress);
    onTestFinished(() => proxy.close());
    world.traffic.start(world.goldmane);
    const cutOff = await world.startWorker({ TEMPORAL_ADDRESS: proxy.address });
    await untilReadBy(cutOff, world);
    await world.pass(200);
    proxy.down();
    const successor = await world.startWorker();
    await untilReadBy(successor, world, 2);
    expect(cutOff.process.hasExited()).toBe(false);
    await until('both attempts follow the stream', () =>
      world.goldmane.stats().streams === 2 ? true : undefined,
    );
    await world.pass(100);
    expect(await metric(successor, 'flow_trail_merges_total', { reader: 'stream' })).toBeGreaterThan(0);
    proxy.up();
    await until('one attempt ends', () => (world.goldmane.stats().streams === 1 ? true : undefined));
    await expectComplete(world);
  },
);

test('two workers that start at the same time migrate once and start one supervisor', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const workers = await Promise.all([world.startWorker(), world.startWorker()]);
  await Promise.all(workers.map((worker) => untilLogged(worker, 'The worker is polling for work')));
  const migrated = workers.filter((worker) => worker.messages().includes('Migrated the schema'));
  expect(migrated).toHaveLength(1);
  await until('both readers run', async () => ((await attempts(world)).length === 2 ? true : undefined));
  await world.pass(120);
  expect(world.goldmane.stats().streams).toBe(1);
  await expectComplete(world);
});

/** Two more readers. A second worker for another supervisor would be refused, so they run in this process. */
function readBesideWorker(beside: World): { merged: ReadonlySet<string>; stop(): Promise<void> } {
  const config = loadConfig(beside.workerEnv());
  const database = openDatabase(config.database);
  const merged = new Set<string>();
  const deps = testDeps(database, config.clock);
  const { streamFlows, settleBuckets } = createActivities({
    ...deps,
    config,
    metrics: { ...deps.metrics, merged: (reader) => void merged.add(reader) },
    connectGoldmane: (signal) => connectGoldmane(config.goldmane, { clock: config.clock, signal }),
  });
  const activities = [new MockActivityEnvironment(), new MockActivityEnvironment()] as const;
  const window = { windowMs: 3_600_000 };
  const reading = Promise.allSettled([
    activities[0].run(streamFlows, window),
    activities[1].run(settleBuckets, window),
  ]);
  return {
    merged,
    async stop() {
      for (const activity of activities) activity.cancel();
      await reading;
      await database.close();
    },
  };
}
