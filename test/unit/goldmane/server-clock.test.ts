import { beforeEach, describe, expect, test } from 'vitest';
import { deliveryDelayMs, ServerClock, untilQuietMs } from '../../../src/goldmane/server-clock.ts';

const bucket = 1_800_000_000;
/** Our clock and the elapsed time, which differ only if our clock is changed. */
const ours = { now: 0, elapsed: 0 };
let clock: ServerClock;
beforeEach(() => {
  ours.now = ours.elapsed = bucket * 1000;
  clock = new ServerClock({ now: () => ours.now, elapsed: () => ours.elapsed });
});

/** Goldmane's clock minus the elapsed time. */
function offset(): number {
  return clock.nowMs() - ours.elapsed;
}

/** Simulates the first record of the nth bucket, `lateMs` late, on a clock that is `behindMs` behind Goldmane's. */
function arrives(n: number, lateMs: number, behindMs = 0): void {
  const start = bucket + n * 15;
  ours.now = ours.elapsed = start * 1000 + deliveryDelayMs + lateMs - behindMs;
  clock.observe(start);
}

describe('the clock difference', () => {
  test('is unknown and treated as zero until the stream or another source shows it', () => {
    expect([clock.isKnown, clock.measured, offset()]).toEqual([false, false, 0]);
    clock.assume(ours.elapsed + 5_000);
    expect([clock.isKnown, clock.measured, offset()]).toEqual([true, false, 5_000]);
  });

  test('may be known as a lower bound; the stream shows it exactly', () => {
    clock.assume(ours.elapsed - 600_000, { isAtLeast: true });
    expect([clock.isKnown, clock.isAtLeast]).toEqual([true, true]);
    arrives(0, 0);
    expect([clock.isAtLeast, offset()]).toEqual([false, 0]);
  });

  test.each([-7_200_000, 7_200_000])(
    'does not depend on our clock: changing it by %i ms has no effect on ages',
    (ms) => {
      arrives(0, 0);
      const before = clock.nowMs();
      ours.now += ms;
      expect([clock.nowMs() - before, clock.lagMs]).toEqual([0, 0]);
      ours.now += 15_000;
      ours.elapsed += 15_000;
      expect(clock.nowMs() - before).toBe(15_000);
    },
  );

  test.each([-300_000, 0, 300_000])(
    'is determined by the least delayed of the last buckets (%i ms)',
    (behindMs) => {
      for (const [n, late] of [150, 40, 900, 200].entries()) arrives(n, late, behindMs);
      expect(offset()).toBe(behindMs - 40);
    },
  );

  test('is set only by the first record of a bucket, and not by an older bucket', () => {
    arrives(1, 100);
    arrives(1, 9_000);
    arrives(0, 0);
    expect([offset(), clock.lagMs]).toEqual([-100, 0]);
  });

  test('follows a changed clock after twenty buckets, which replace the earlier ones', () => {
    for (let n = 0; n < 5; n += 1) arrives(n, 0, 60_000);
    for (let n = 5; n < 25; n += 1) arrives(n, 0, 0);
    expect(offset()).toBe(0);
  });

  test('is kept after the stream ends, and measured again by the next', () => {
    arrives(0, 0, 7_000);
    clock.reopened();
    expect([clock.isKnown, clock.measured, offset()]).toEqual([true, false, 7_000]);
    arrives(0, 0, 2_000);
    expect(offset()).toBe(2_000);
  });

  test('is not replaced by another source once it is measured', () => {
    arrives(0, 0, 7_000);
    clock.assume(1);
    expect(offset()).toBe(7_000);
  });
});

describe('the lag', () => {
  test('is the delay of the newest bucket relative to the least delayed one', () => {
    arrives(0, 100);
    arrives(1, 61_100);
    expect(clock.lagMs).toBe(61_000);
    arrives(2, 100);
    expect(clock.lagMs).toBe(0);
  });

  test('is measured again with a new stream, so that streams are not replaced indefinitely', () => {
    arrives(0, 0);
    arrives(1, 90_000);
    clock.reopened();
    expect(clock.lagMs).toBe(0);
    arrives(2, 90_000);
    expect(clock.lagMs).toBe(0);
  });
});

test('a stream is regular after ten buckets', () => {
  for (let n = 0; n < 9; n += 1) arrives(n, 0);
  expect(clock.isRegular).toBe(false);
  arrives(9, 0);
  expect(clock.isRegular).toBe(true);
  clock.reopened();
  expect(clock.isRegular).toBe(false);
});

describe('the quiet part of a bucket', () => {
  test.each([
    [0, 5_000],
    [4_999, 1],
    [5_000, 0],
    [12_000, 0],
    [12_001, 7_999],
    [14_999, 5_001],
  ])('at %i ms of a bucket is %i ms away', (phaseMs, waitMs) => {
    for (const base of [bucket * 1000, 0, -15_000]) expect(untilQuietMs(base + phaseMs)).toBe(waitMs);
  });
});
