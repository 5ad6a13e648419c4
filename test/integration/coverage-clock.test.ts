import { afterEach, describe, expect, test } from 'vitest';
import { ServerClock } from '../../src/goldmane/server-clock.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import type { Flows } from './coverage-fake-goldmane.ts';
import { Settling } from './coverage-settling-harness.ts';

const start = 1_800_000_000;
const hourMs = 3_600_000;
const busy = (): Flows => Array.from({ length: 10 }, (_, n) => ({ port: n + 1 }));
let settling: Settling;
afterEach(() => settling.db.drop());

/** Simulates the start of a process, which has no measurement of Goldmane's clock. */
function startProcess(): void {
  settling.serverClock = new ServerClock(settling.clock);
}

async function state(): Promise<{ decided: number | null; trouble: string | null; youngest: number | null }> {
  const [row] = await settling.db.database.query<{
    decided: number | null;
    trouble: string | null;
    youngest: number | null;
  }>(
    `select extract(epoch from decided_until)::float8 as decided, trouble,
       (select extract(epoch from max(bucket))::float8 from bucket_ledger) as youngest from trail_state`,
  );
  if (!row) throw new Error('there is no row');
  return row;
}

/** Expects that buckets were decided by Goldmane's clock, regardless of the worker's. */
async function expectRightTime(): Promise<void> {
  const now = settling.goldmane.nowSeconds;
  const { decided, youngest } = await state();
  expect(decided).toBeLessThanOrEqual(now - 3_615);
  expect(youngest).toBeLessThanOrEqual(now - 360);
  expect(youngest).toBeGreaterThan(now - 500);
  expect(await settling.gaps(start, now)).toEqual([]);
}

describe("a worker's clock that is set hours ahead", () => {
  test('set while settling has no effect: elapsed time is added to Goldmane’s last known time', async () => {
    settling = await Settling.create(start, busy);
    startProcess();
    settling.goldmane.statesClock = false;
    await settling.run(30);
    settling.clock.aheadMs = 2 * hourMs;
    await settling.run(30);
    settling.clock.aheadMs = -2 * hourMs;
    await settling.run(30);
    const now = settling.goldmane.nowSeconds;
    const { decided, youngest } = await state();
    expect(decided).toBeLessThanOrEqual(now - 3_660);
    expect(decided).toBeGreaterThan(now - 3_800);
    expect(youngest).toBeLessThanOrEqual(now - 375);
    expect(await settling.gaps(start, now)).toEqual([]);
  });

  test('wrong at start, without a stream: Goldmane’s newest bucket shows the right time', async () => {
    settling = await Settling.create(start, busy);
    startProcess();
    settling.goldmane.statesClock = false;
    settling.clock.aheadMs = hourMs - 60_000;
    await settling.run(90);
    await expectRightTime();
  });

  test('too wrong at start to find a bucket: nothing is settled or decided until Goldmane’s clock is known', async () => {
    settling = await Settling.create(start, busy);
    startProcess();
    settling.goldmane.statesClock = false;
    await settling.run(30);
    startProcess();
    settling.clock.aheadMs = 3 * hourMs;
    const { decided, youngest } = await state();
    await settling.run(15);
    expect(await state()).toMatchObject({ decided, youngest });
    // A stream shows Goldmane's clock.
    settling.serverClock?.observe(Math.floor(settling.goldmane.nowSeconds / 15) * 15 - 30);
    await settling.run(15);
    expect((await state()).youngest).toBeGreaterThan(settling.goldmane.nowSeconds - 500);
    expect(await settling.gaps(start, settling.goldmane.nowSeconds)).toEqual([]);
  });
});

describe('the clock in Goldmane’s error messages', () => {
  test.each([-26 * hourMs, -hourMs, 0, hourMs, 26 * hourMs])(
    'is used instead of the clock of a worker that is %d ms ahead',
    async (aheadMs) => {
      settling = await Settling.create(start, busy);
      startProcess();
      settling.clock.aheadMs = aheadMs;
      await settling.run(90);
      await expectRightTime();
    },
  );

  test('is used if traffic stopped before the worker started, rather than the time of the last bucket with traffic', async () => {
    const stopped = start + 1_800;
    settling = await Settling.create(start, (bucket) => (bucket < stopped ? busy() : []));
    settling.clock.pass(1_800 + 525);
    startProcess();
    const [summary] = await settling.run(1);
    // All buckets with traffic are older than six minutes, so all are settled in the first round.
    expect((await state()).youngest).toBeGreaterThanOrEqual(settling.goldmane.nowSeconds - 360 - 6 * 15);
    expect(summary?.bucketsWaiting).toBe(0);
    const settled = await settling.coverage(start, stopped);
    expect(settled.map(({ state: each }) => each)).toEqual(['settled']);
  });
});

describe('a cluster that is silent for hours', () => {
  const silentFrom = start + 1_800;
  const silentUntil = start + 5 * 3_600;
  const quiet = (bucket: number): Flows => (bucket < silentFrom || bucket >= silentUntil ? busy() : []);

  test('is polled at long intervals by a worker that starts during the silence, which decides nothing; later the gap has a cause', async () => {
    settling = await Settling.create(start, quiet);
    startProcess();
    settling.goldmane.statesClock = false;
    await settling.run(30);
    settling.clock.pass(2 * 3_600);
    startProcess();
    settling.goldmane.requested = [];
    await settling.run(60);
    // 75 minutes of buckets, listed every ten minutes and in each window. Polling at every tick would list three times as many.
    expect(settling.goldmane.requested.length).toBeLessThanOrEqual(8 * 301);
    const { decided, trouble } = await state();
    expect(decided ?? 0).toBeLessThan(silentFrom);
    expect(trouble).toMatch(/^Goldmane returned no record/);
    settling.clock.pass(silentUntil - settling.goldmane.nowSeconds);
    await settling.run(90);
    const gaps = await settling.gaps(start, settling.goldmane.nowSeconds);
    expect(gaps.length).toBeGreaterThan(0);
    expect(gaps.map(({ cause }) => cause)).not.toContain(undefined);
    expect(gaps[0]?.cause).toMatch(/^Goldmane returned no record/);
    expect(gaps.at(-1)?.toSeconds).toBeLessThanOrEqual(silentUntil);
    expect((await settling.coverage(silentUntil, silentUntil + 600)).map((stretch) => stretch.state)).toEqual(
      ['final'],
    );
  });

  test('causes gaps, and at most one List per bucket and stage, if a worker starts during the silence', async () => {
    settling = await Settling.create(start, quiet);
    startProcess();
    await settling.run(30);
    settling.clock.pass(2 * 3_600);
    startProcess();
    settling.goldmane.requested = [];
    await settling.run(60);
    // The buckets in the ring at the start, and those of the following hour.
    expect(settling.goldmane.requested.length).toBeLessThanOrEqual(2 * (241 + 240));
    const gaps = await settling.gaps(start, settling.goldmane.nowSeconds);
    expect(gaps.at(-1)?.cause).toMatch(/^Goldmane returned no records/);
    expect(gaps.at(-1)?.toSeconds).toBeGreaterThan(settling.goldmane.nowSeconds - 600);
  });

  test('is settled as empty by a worker that saw earlier traffic, while an older bucket proves it', async () => {
    settling = await Settling.create(start, quiet);
    startProcess();
    await settling.run(30);
    await settling.run(50);
    expect(await settling.gaps(start, silentFrom + 30 * 60)).toEqual([]);
    expect((await state()).youngest).toBeGreaterThan(settling.goldmane.nowSeconds - 500);
  });
});

test('buckets that are rejected because a clock was ahead are not listed repeatedly', async () => {
  settling = await Settling.create(start, busy);
  await settling.run(15);
  const { database } = settling.db;
  const key = { srcNs: 'a', dstNs: 'b', action: 'allow' } as const;
  const ahead = start + 4 * 3_600;
  await merge(database, [{ startSeconds: ahead, records: [{ key: { content: '1' }, edge: key }] }], {
    portCap: 64,
    nowSeconds: ahead,
  });
  await database.query('update trail_state set decided_until = to_timestamp($1)', [ahead - 3_660]);
  settling.goldmane.requested = [];
  const [summary] = await settling.run(15);
  expect(summary?.bucketsWaiting).toBe(0);
  expect(settling.goldmane.requested).toEqual([]);
});
