import { expect, test } from 'vitest';
import type { Flow } from '../../dev/goldmane/stand-in.ts';
import { untilLogged } from '../support/faults.ts';
import { expectAllRemaining, gapsOf, isSettled, untilCovered } from '../support/gaps.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

const restarted = /^Goldmane restarted and lost its buffer/;
const empty = /^Goldmane returned no records for this time/;

/** Restarts Goldmane on the same port; nodes re-send only every other flow of the last five minutes. */
async function restartWithPartialResend(world: World): Promise<Set<Flow>> {
  await world.restartGoldmane({ nodesResend: false });
  const { goldmane } = world;
  const reached = new Set<Flow>();
  const target = {
    ingest: (flows: readonly Flow[]) => {
      for (const flow of flows) reached.add(flow);
      goldmane.ingest(flows);
    },
    stats: () => goldmane.stats(),
  };
  world.traffic.retarget(target);
  target.ingest(world.traffic.recent(world.nowSeconds()).filter((_flow, index) => index % 2 === 0));
  return reached;
}

async function untilSettledUpTo(world: World, seconds: number): Promise<void> {
  await until(`bucket ${seconds} is settled`, async () => {
    const coverage = await world.coverage();
    if (isSettled(coverage, seconds)) return true;
    throw new Error(JSON.stringify(coverage));
  });
}

test('records lost by a restart of Goldmane while the worker was down are a gap with a cause; re-sent records are merged', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const beganSeconds = world.nowSeconds();
  const first = await world.startWorker();
  await untilSettledUpTo(world, beganSeconds + 300);
  expect(await first.terminate()).toBe(0);
  const leftSeconds = world.nowSeconds();
  await world.pass(200);
  const reached = await restartWithPartialResend(world);
  const before = await world.coverage();
  await world.pass(300);

  const second = await world.startWorker();
  await untilLogged(second, 'The stream is open');
  const backSeconds = world.nowSeconds() + 90;
  await world.pass(240);
  await world.traffic.stop();

  const coverage = await untilCovered(world, backSeconds);
  const gaps = gapsOf(coverage);
  expect(gaps.length).toBeGreaterThan(0);
  for (const { cause } of gaps) expect(cause).toMatch(new RegExp(`${restarted.source}|${empty.source}`));
  expect(gaps.some(({ cause }) => restarted.test(cause))).toBe(true);
  // Settled buckets stay settled, and unobserved time is not settled.
  for (const { fromSeconds, toSeconds, state } of before)
    if (state === 'settled')
      for (let at = fromSeconds; at < toSeconds; at += 15) expect(isSettled(coverage, at)).toBe(true);
  expect(Date.parse(gaps[0]?.from ?? '') / 1000).toBeLessThanOrEqual(leftSeconds);
  expect(Date.parse(gaps.at(-1)?.to ?? '') / 1000).toBeGreaterThan(backSeconds - 150);
  await expectAllRemaining(world, coverage, (flow) => reached.has(flow));
});

fullTest(
  'buckets with records lost by a quick restart of Goldmane while the worker was connected are not settled',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    const beganSeconds = world.nowSeconds();
    const worker = await world.startWorker();
    await untilSettledUpTo(world, beganSeconds + 300);
    const restartSeconds = world.nowSeconds();
    const reached = await restartWithPartialResend(world);
    await untilLogged(worker, 'Goldmane restarted');
    await world.pass(300);
    await world.traffic.stop();

    // The new run is detected when its first bucket with records is listed, a few minutes later.
    const coverage = await untilCovered(world, restartSeconds + 270);
    await expectAllRemaining(world, coverage, (flow) => reached.has(flow));
    for (const { cause } of gapsOf(coverage))
      expect(cause).toMatch(new RegExp(`${restarted.source}|${empty.source}`));
    // The bucket being filled when Goldmane ended was neither streamed nor settled completely.
    const filling = Math.floor(restartSeconds / 15) * 15;
    expect(
      coverage.find(({ fromSeconds, toSeconds }) => fromSeconds <= filling && filling < toSeconds)?.state,
    ).toBe('gap');
  },
);
