import { expect, onTestFinished } from 'vitest';
import { expectAllRemaining, gapsOf, untilCovered, untilGapsReported } from '../support/gaps.ts';
import { TcpProxy } from '../support/proxy.ts';
import { untilFailureShown, untilConnected } from '../support/failure-places.ts';
import { createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

fullTest('if Goldmane is unreachable for longer than its ring, the gap’s cause is the failure', async () => {
  const world = await createWorld({ speed: 40 });
  const proxy = await TcpProxy.listen(world.goldmane.address);
  onTestFinished(() => proxy.close());
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ GOLDMANE_HOST: proxy.address });
  await untilConnected(world);
  await world.pass(700);
  proxy.down();
  const downSeconds = world.nowSeconds();
  await untilFailureShown(world, worker, 'unavailable', {
    values: [proxy.address],
    where: ['attempts', 'status'],
  });
  // Meanwhile, the gap grows and is reported as one gap.
  await world.pass(4_200);
  // On a slow machine, starting the worker may take longer than Goldmane's ring.
  const gapsSinceDown = (coverage: Parameters<typeof gapsOf>[0]) =>
    gapsOf(coverage).filter(({ to }) => Date.parse(to) / 1000 > downSeconds - 600);
  const growing = gapsSinceDown(await world.coverage());
  expect(growing).toHaveLength(1);
  expect(growing[0]?.cause).toContain(proxy.address);

  proxy.up();
  const upSeconds = world.nowSeconds();
  await untilConnected(world);
  await world.pass(300);
  await world.traffic.stop();
  const coverage = await untilCovered(world, upSeconds);
  await expectAllRemaining(world, coverage);
  const gaps = gapsSinceDown(coverage);
  expect(gaps).toHaveLength(1);
  expect(gaps[0]?.cause).toContain(proxy.address);
  expect(Date.parse(gaps[0]?.from ?? '') / 1000).toBeLessThanOrEqual(downSeconds);
  expect(Date.parse(gaps[0]?.to ?? '') / 1000).toBeLessThan(upSeconds - 3_000);
  await untilGapsReported(world, gapsOf(coverage));
});
