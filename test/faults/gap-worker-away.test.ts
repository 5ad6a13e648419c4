import { expect, test } from 'vitest';
import { flowTrail } from '../support/cli.ts';
import { metric, untilLogged } from '../support/faults.ts';
import {
  expectAllRemaining,
  gapsInSummaries,
  gapsOf,
  untilCovered,
  untilGapsReported,
} from '../support/gaps.ts';
import { createWorld } from '../support/world.ts';

const bucketSeconds = 15;
const ringSeconds = 3_540;

test('a worker outage longer than the ring is a gap with a cause, and everything still in the ring is in the trail', async () => {
  // The world starts in the past, because the command uses the system clock.
  const world = await createWorld({ beginAgoSeconds: 6 * 3_600 });
  world.traffic.start(world.goldmane);
  const first = await world.startWorker();
  await world.pass(800);
  expect(await first.terminate()).toBe(0);
  const leftSeconds = world.nowSeconds();

  world.clock.setSpeed(400);
  await world.pass(4_500);
  world.clock.setSpeed(40);
  const second = await world.startWorker();
  const backSeconds = world.nowSeconds();
  await untilLogged(second, 'The stream is open');
  await world.pass(60);
  await world.traffic.stop();

  const coverage = await untilCovered(world, backSeconds);
  await expectAllRemaining(world, coverage);
  const gaps = gapsOf(coverage);
  // On a busy machine, the first worker may leave earlier gaps: buckets that it neither streamed completely nor settled.
  for (const { cause } of gaps) expect(cause).toMatch(/worker, Temporal or the database was unavailable/);
  const gap = gaps.at(-1);
  const [from, to] = [Date.parse(gap?.from ?? '') / 1000, Date.parse(gap?.to ?? '') / 1000];
  // The gap reaches from before the worker ended to the oldest bucket that could be listed, which depends on the machine.
  expect(from).toBeLessThanOrEqual(leftSeconds);
  expect(to).toBeGreaterThan(backSeconds - ringSeconds - bucketSeconds);
  expect(to).toBeLessThan(backSeconds);

  await untilLogged(second, 'Gap: this time was not observed');
  expect(await metric(second, 'flow_trail_coverage_gap_buckets_total')).toBe(
    gaps.reduce((sum, each) => sum + Date.parse(each.to) - Date.parse(each.from), 0) / 1000 / bucketSeconds,
  );
  await untilGapsReported(world, gaps);
  expect(await gapsInSummaries(world)).toEqual(gaps);
  const said = await flowTrail(['coverage', '--gaps', '--json'], world.workerEnv());
  expect(JSON.parse(said.out)).toEqual(gaps.map((each) => ({ ...each, state: 'gap' })));
  const shown = await flowTrail(['status'], world.workerEnv());
  expect(shown.out).toContain(`${gap?.cause}`);
});
