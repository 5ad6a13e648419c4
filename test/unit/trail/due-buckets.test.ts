import { describe, expect, test } from 'vitest';
import type { CoverageStretch } from '../../../src/trail/coverage-ranges/coverage.ts';
import type { LedgerBucket } from '../../../src/trail/merge/ledger.ts';
import {
  decidedAgeSeconds,
  dueBuckets,
  finalAgeSeconds,
  oldestAskedSeconds,
  settleAgeSeconds,
  markRecentStreamedAsPending,
} from '../../../src/trail/coverage-ranges/due-buckets.ts';

const start = 1_800_000_000;
const none = new Set<number>();

function ledgerOf(bucket: Partial<LedgerBucket>): LedgerBucket[] {
  return [{ startSeconds: start, state: 'pending', hasRecords: true, ...bucket }];
}

/** The stage that is due for the bucket at an age in seconds. */
function stageAt(
  ageSeconds: number,
  ledger: readonly LedgerBucket[] = [],
  finalAsked = none,
): string | undefined {
  return dueBuckets(ledger, start + ageSeconds, finalAsked).find(({ startSeconds }) => startSeconds === start)
    ?.stage;
}

test('buckets are settled at six minutes, final at 55, not listed after 59, and decided after the ring', () => {
  expect([settleAgeSeconds, finalAgeSeconds, oldestAskedSeconds, decidedAgeSeconds]).toEqual([
    375, 3_300, 3_540, 3_660,
  ]);
});

describe('an unknown bucket', () => {
  test.each([
    [374, undefined],
    [375, 'settled'],
    [3_299, 'settled'],
    [3_300, 'final'],
    [3_540, 'final'],
    [3_541, undefined],
  ])('at %i s is due to be %s', (age, stage) => {
    expect(stageAt(age)).toBe(stage);
  });
});

describe('a listed bucket', () => {
  test('that is settled is listed once more before it leaves the ring', () => {
    const settled = ledgerOf({ state: 'settled' });
    expect([stageAt(400, settled), stageAt(3_299, settled), stageAt(3_300, settled)]).toEqual([
      undefined,
      undefined,
      'final',
    ]);
    expect(stageAt(3_300, ledgerOf({ state: 'final' }))).toBeUndefined();
  });

  test('that could not be settled is listed once more, not repeatedly', () => {
    const gap = ledgerOf({ state: 'gap', cause: 'restarted' });
    expect([stageAt(400, gap), stageAt(3_300, gap)]).toEqual([undefined, 'final']);
    expect(stageAt(3_310, gap, new Set([start]))).toBeUndefined();
  });

  test('that was streamed but could not be settled is not listed repeatedly', () => {
    expect(stageAt(400, ledgerOf({ state: 'streamed', cause: 'restarted' }))).toBeUndefined();
  });
});

test('a streamed bucket is settled as well', () => {
  expect(stageAt(400, ledgerOf({ state: 'streamed' }))).toBe('settled');
});

test('buckets are due oldest first, one for every 15 s of the hour, at any time', () => {
  for (const now of [start, start + 0.001, start + 7.5, start + 14.999]) {
    const due = dueBuckets([], now, none);
    expect(due.map(({ startSeconds }) => startSeconds)).toEqual(
      Array.from({ length: due.length }, (_, index) => (due[0]?.startSeconds ?? 0) + index * 15),
    );
    const [first, last] = [due[0]?.startSeconds ?? 0, due.at(-1)?.startSeconds ?? 0];
    expect(first).toBeGreaterThanOrEqual(now - oldestAskedSeconds);
    expect(first).toBeLessThan(now - oldestAskedSeconds + 15);
    expect(last).toBeLessThanOrEqual(now - settleAgeSeconds);
    expect(last).toBeGreaterThan(now - settleAgeSeconds - 15);
  }
});

describe('coverage for reports based on facts', () => {
  const [now, hour] = [1_000_000, 3_600];
  const stretch = (ago: number, until: number, state: CoverageStretch['state']): CoverageStretch => ({
    fromSeconds: now - ago,
    toSeconds: now - until,
    state,
  });

  test('a streamed bucket that may still be settled is pending', () => {
    const settled = stretch(5 * hour, 360, 'settled');
    expect(
      markRecentStreamedAsPending([settled, stretch(360, 30, 'streamed'), stretch(30, 0, 'pending')], now),
    ).toEqual([settled, stretch(360, 30, 'pending'), stretch(30, 0, 'pending')]);
  });

  test('a streamed bucket that was never settled stays streamed', () => {
    const early = [stretch(900, 600, 'streamed'), stretch(600, 360, 'settled')];
    const old = [stretch(5 * hour, 3 * hour, 'settled'), stretch(3 * hour, 2 * hour, 'streamed')];
    expect(markRecentStreamedAsPending(early, now)).toEqual(early);
    expect(markRecentStreamedAsPending(old, now)).toEqual(old);
  });
});
