import { afterEach, expect, test } from 'vitest';
import { formatClockScale } from '../../src/time/clock.ts';
import { expectWhole, untilSaid } from '../support/faults.ts';
import { World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

let world: World;
afterEach(() => world.close());

/** For a worker whose clock shows so much more than the world's. */
function clockOff(offsetSeconds: number): { FLOW_TRAIL_CLOCK: string } {
  const { scale } = world.clock;
  return {
    FLOW_TRAIL_CLOCK: formatClockScale({ ...scale, anchorMs: scale.anchorMs + offsetSeconds * 1000 }),
  };
}

/**
 * The age, by Goldmane's clock, at which the youngest bucket was settled by a worker whose clock was off by so much, of
 * those that it settled after a moment of that clock.
 */
async function youngestSettledAge(offsetSeconds: number, afterSeconds = 0): Promise<number> {
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
    `a worker whose clock is five minutes ${name} Goldmane's goes by Goldmane's: nothing is settled before its time`,
    async () => {
      world = await World.create();
      world.traffic.start(world.goldmane);
      await world.startWorker(clockOff(offsetSeconds));
      await world.pass(600);
      await expectWhole(world);
      expect(await youngestSettledAge(offsetSeconds)).toBeGreaterThanOrEqual(settleAgeSeconds);
      // Nor long after it, or the ring would be shorter by as much.
      expect(await youngestSettledAge(offsetSeconds)).toBeLessThan(settleAgeSeconds + 120);
    },
  );

test("a worker whose clock is five minutes ahead, and whose stream never opens, finds Goldmane's clock by asking", async () => {
  world = await World.create();
  world.goldmane.faults.answerStreams({ status: 'UNAVAILABLE' });
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker(clockOff(300));
  await untilSaid(worker, 'it was found by asking for its newest bucket');
  await world.pass(600);
  await expectWhole(world);
  expect(await youngestSettledAge(300)).toBeGreaterThanOrEqual(settleAgeSeconds - 30);
});

fullTest(
  'a worker that takes over from one whose clock was wrong does not go by what that one measured',
  async () => {
    world = await World.create();
    world.traffic.start(world.goldmane);
    const slow = await world.startWorker(clockOff(-300));
    await world.pass(700);
    await slow.kill();
    expect(await youngestSettledAge(-300)).toBeGreaterThanOrEqual(settleAgeSeconds);
    const takenOverSeconds = world.nowSeconds();
    // No stream tells this one.
    world.goldmane.faults.answerStreams({ status: 'UNAVAILABLE' });
    await world.startWorker();
    await world.pass(300);
    await expectWhole(world);
    expect(await youngestSettledAge(0, takenOverSeconds)).toBeGreaterThanOrEqual(settleAgeSeconds - 30);
  },
);
