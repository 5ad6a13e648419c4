import { expect, onTestFinished, test } from 'vitest';
import {
  bucketNow,
  expectComplete,
  metric,
  untilMerged,
  untilFailure,
  untilLogged,
  untilStreaming,
} from '../support/faults.ts';
import { TcpProxy } from '../support/proxy.ts';
import { createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

test('a connection to Goldmane that goes silent is detected and replaced', async () => {
  const world = await createWorld();
  const proxy = await TcpProxy.listen(world.goldmane.address);
  onTestFinished(() => proxy.close());
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ GOLDMANE_HOST: proxy.address });
  await untilStreaming(worker, world);
  // Too early to detect missing records: only the probe can detect the silence.
  const silent = proxy.blackHole();
  expect(silent.length).toBeGreaterThan(0);
  await untilLogged(worker, 'no response to a probe');
  await untilMerged(world, bucketNow(world));
  expect(
    await metric(worker, 'flow_trail_reconnects_total', { reader: 'stream', cause: 'unavailable' }),
  ).toBe(1);
  // The server received no notification: it still has the first stream open.
  expect(world.goldmane.stats().streams).toBe(2);
  for (const { closedBy } of silent) expect(closedBy).not.toContain('server');
  expect(silent.reduce((sum, { dropped }) => sum + dropped.fromServer, 0)).toBeGreaterThan(0);
  await expectComplete(world);
});

fullTest('a network that drops all packets for minutes loses nothing', async () => {
  const world = await createWorld();
  const proxy = await TcpProxy.listen(world.goldmane.address);
  onTestFinished(() => proxy.close());
  let isSilent = false;
  proxy.wiretap = () => ({
    fromClient: (_chunk, link) => {
      if (isSilent) link.blackHole();
    },
  });
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ GOLDMANE_HOST: proxy.address });
  await untilStreaming(worker, world);
  await world.pass(400);
  isSilent = true;
  const silent = proxy.blackHole();
  await untilFailure(worker, 'timeout', [proxy.address]);
  isSilent = false;
  await untilMerged(world, bucketNow(world));
  const dialled = proxy.links.filter((link) => link.dropped.fromClient > 0 && !silent.includes(link));
  expect(dialled.length).toBeGreaterThan(0);
  await expectComplete(world);
});
