import { afterEach, expect } from 'vitest';
import { World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

let world: World;
afterEach(() => world.close());

fullTest(
  'with late flows as in a healthy cluster, the trail equals the generated flows, without a gap',
  async () => {
    world = await World.create();
    world.traffic.start(world.goldmane);
    await world.startWorker();
    await world.pass(600);
    await world.traffic.stop();
    const coverage = await world.untilSettled();
    await world.expectExactly();
    expect(coverage.filter(({ state }) => state === 'gap')).toEqual([]);
  },
);
