import { afterEach, expect, test } from 'vitest';
import { attempts, expectComplete, metric, untilReadBy, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { TcpProxy } from '../support/proxy.ts';
import { createNamespace, World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

let world: World;
let proxy: TcpProxy | undefined;
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  await world.close();
});

fullTest('two pairs of readers on one database count each record once', async () => {
  world = await World.create();
  world.traffic.start(world.goldmane);
  const other = `${world.namespace}-other`;
  await createNamespace(other, world.temporalAddress);
  const workers = await Promise.all([world.startWorker(), world.startWorker({ TEMPORAL_NAMESPACE: other })]);
  await until('both workers follow the stream', () =>
    world.goldmane.stats().streams === 2 ? true : undefined,
  );
  await world.pass(500);
  await expectComplete(world);
  for (const worker of workers)
    for (const reader of ['stream', 'settle'])
      expect(await metric(worker, 'flow_trail_merges_total', { reader })).toBeGreaterThan(0);
});

fullTest(
  'an attempt that lost its connection to Temporal keeps running beside its successor, and each record is counted once',
  async () => {
    world = await World.create();
    proxy = await TcpProxy.listen(world.temporalAddress);
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
  world = await World.create();
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
