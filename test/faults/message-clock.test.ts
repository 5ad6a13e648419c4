import { expect, test } from 'vitest';
import { formatClockScale } from '../../src/time/clock.ts';
import { expectComplete, untilLogged, untilReadBy } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

/** Settings of a worker whose clock is ahead of the world's. */
function clockOff(world: World, offsetSeconds: number): { FLOW_TRAIL_CLOCK: string } {
  const { scale } = world.clock;
  return {
    FLOW_TRAIL_CLOCK: formatClockScale({ ...scale, anchorMs: scale.anchorMs + offsetSeconds * 1000 }),
  };
}

/**
 * The lowest age, by Goldmane's clock, at which a worker with a wrong clock settled a bucket. `afterSeconds`: ignores
 * earlier ones.
 */
async function youngestSettledAge(world: World, offsetSeconds: number, afterSeconds = 0): Promise<number> {
  const [age] = await world.db.database.query<{ youngest: number | null }>(
    `select min(extract(epoch from settled_at - bucket))::float8 - $1 as youngest from bucket_ledger
     where settled_at > to_timestamp($2)`,
    [offsetSeconds, afterSeconds],
  );
  return age?.youngest ?? Number.NaN;
}

const settleAgeSeconds = 15 + 6 * 60;

for (const [name, offsetSeconds] of [
  ['ahead of', 300],
  ['behind', -300],
] as const)
  fullTest(
    `a worker whose clock is five minutes ${name} Goldmane's uses Goldmane's clock and settles nothing too early`,
    async () => {
      const world = await createWorld();
      world.traffic.start(world.goldmane);
      await world.startWorker(clockOff(world, offsetSeconds));
      await world.pass(600);
      // Settling every bucket too late would shorten the usable ring. A busy machine may settle some late.
      await until('a bucket is settled in time', async () =>
        (await youngestSettledAge(world, offsetSeconds)) < settleAgeSeconds + 120 ? true : undefined,
      );
      await expectComplete(world);
      expect(await youngestSettledAge(world, offsetSeconds)).toBeGreaterThanOrEqual(settleAgeSeconds);
    },
  );

test('a worker whose clock is five minutes ahead and whose stream never opens requests Goldmane’s clock', async () => {
  const world = await createWorld();
  world.goldmane.faults.answerStreams({ status: 'UNAVAILABLE' });
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker(clockOff(world, 300));
  await untilLogged(worker, "Read Goldmane's clock with a request");
  await world.pass(600);
  await expectComplete(world);
  expect(await youngestSettledAge(world, 300)).toBeGreaterThanOrEqual(settleAgeSeconds - 30);
});

fullTest('a worker that takes over from one with a wrong clock does not use its measurement', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const slow = await world.startWorker(clockOff(world, -300));
  await untilReadBy(slow, world);
  await world.pass(700);
  await until('a bucket is settled', async () =>
    Number.isNaN(await youngestSettledAge(world, -300)) ? undefined : true,
  );
  await slow.kill();
  expect(await youngestSettledAge(world, -300)).toBeGreaterThanOrEqual(settleAgeSeconds);
  const takenOverSeconds = world.nowSeconds();
  // This worker has no stream.
  world.goldmane.faults.answerStreams({ status: 'UNAVAILABLE' });
  const successor = await world.startWorker();
  await untilReadBy(successor, world, 2);
  await world.pass(300);
  await expectComplete(world);
  expect(await youngestSettledAge(world, 0, takenOverSeconds)).toBeGreaterThanOrEqual(settleAgeSeconds - 30);
});
