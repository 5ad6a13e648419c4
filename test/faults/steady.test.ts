import { expect } from 'vitest';
import { createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

fullTest(
  'with late flows as in a healthy cluster, the trail equals the generated flows, without a gap',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    await world.startWorker();
    await world.pass(600);
    await world.traffic.stop();
    const coverage = await world.untilSettled();
    await world.expectExactly();
    expect(coverage.filter(({ state }) => state === 'gap')).toEqual([]);
  },
);
