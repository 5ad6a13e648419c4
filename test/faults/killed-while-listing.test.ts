import { expect } from 'vitest';
import { skippedCause } from '../../src/ingest/listing-log.ts';
import { untilLogged } from '../support/faults.ts';
import { expectAllRemaining, isSettled } from '../support/gaps.ts';
import { fullTest } from '../support/full.ts';
import { until } from '../support/poll.ts';
import { createWorld } from '../support/world.ts';

fullTest(
  'a bucket during whose listing two workers were killed with -9 is skipped and reported; all others are settled',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    const deadly = Math.floor(world.nowSeconds() / 15) * 15 + 60;
    let kills = 0;
    world.goldmane.faults.beforeList(async (startSeconds) => {
      if (startSeconds !== deadly) return;
      kills += 1;
      await world.workers.at(-1)?.kill();
    });
    for (let worker = 1; worker <= 2; worker += 1) {
      const { process } = await world.startWorker();
      await until(`worker ${worker} was killed`, () => (process.hasExited() ? true : undefined), 120_000);
    }
    const third = await world.startWorker();
    await untilLogged(third, 'Skipping a bucket');
    await world.traffic.stop();
    const { database } = world.db;
    const coverage = await until(
      'all other buckets are settled',
      async () => {
        const stretches = await world.coverage();
        for (let start = deadly - 45; start < world.traffic.toSeconds; start += 15)
          if (start !== deadly && !isSettled(stretches, start)) return undefined;
        return stretches;
      },
      120_000,
    );
    expect(kills).toBe(2);
    expect(isSettled(coverage, deadly)).toBe(false);
    expect(
      await database.query(
        `select extract(epoch from bucket)::float8 as start, gap_cause from bucket_ledger
       where gap_cause = $1`,
        [skippedCause],
      ),
    ).toEqual([{ start: deadly, gap_cause: skippedCause }]);
    await expectAllRemaining(world, coverage);
    // Two processes are recorded for the skipped bucket, and none for the buckets merged before it. Newer and much older ones may
    // be being listed at this moment.
    expect(
      await database.query(
        `select extract(epoch from bucket)::float8 as start, count(*)::int as lost from bucket_listing
       where bucket between to_timestamp($1) and to_timestamp($2) group by 1`,
        [deadly - 45, deadly],
      ),
    ).toEqual([{ start: deadly, lost: 2 }]);
  },
);
