import { describe, expect, test } from 'vitest';
import { assessFreshness } from '../../../src/reports/freshness-state.ts';
import type { FreshnessFacts } from '../../../src/trail/jobs/freshness.ts';
import { formatTime, fresh, minutesAgo, nowMs } from './facts.ts';

const begun = { lastProgressAt: undefined, newestBucket: undefined, settledBucket: undefined };

function judge(facts: Partial<FreshnessFacts> = {}) {
  return assessFreshness({ ...fresh, ...facts }, { nowMs, warnMinutes: 5, pageMinutes: 45, formatTime });
}

test.each([
  [4.9, 'good', 'good'],
  [5, 'late', 'warning'],
  [44.9, 'late', 'warning'],
  [45, 'stalled', 'critical'],
  [500, 'stalled', 'critical'],
])('%d minutes after the last progress the trail is %s (%s)', (minutes, state, severity) => {
  expect(judge({ lastProgressAt: minutesAgo(minutes) })).toMatchObject({ state, severity });
});

test.each([
  [1, 'beginning', 'good'],
  [5, 'never_merged', 'warning'],
  [45, 'stalled', 'critical'],
])('a trail that never merged anything is %s after %d minutes', (minutes, state, severity) => {
  const verdict = judge({ ...begun, since: minutesAgo(minutes) });
  expect(verdict).toMatchObject({ state, severity });
  expect(verdict.cause === '').toBe(severity === 'good');
});

describe('the cause', () => {
  const late = { lastProgressAt: minutesAgo(10) };

  test('is the problem that the readers recorded, with the time when it last occurred', () => {
    const trouble = { what: 'Stale certificate: it worked. Re-sync.', at: minutesAgo(1) };
    expect(judge({ ...late, trouble }).cause).toMatch(/^Stale certificate: it worked\. Re-sync\. .*07:59:00/);
  });

  test('is the cause of the newest gap if Goldmane answers without progress', () => {
    expect(judge({ ...late, gapCause: 'Goldmane answered empty' }).cause).toMatch(
      /^Goldmane answered empty\./,
    );
  });

  test('is taken from the supervisor if the readers recorded none', () => {
    expect(judge(late).cause).toMatch(/flow-trail\/supervisor/);
  });

  test('is absent while everything works', () => {
    expect(judge({ trouble: { what: 'An old one.', at: minutesAgo(1) } }).cause).toBe('');
  });
});

describe('data still in Goldmane', () => {
  test('is everything until 55 minutes after the newest settled bucket', () => {
    const { remembered } = judge({ lastProgressAt: minutesAgo(20), settledBucket: minutesAgo(30) });
    expect(remembered.match(/\d\d:\d\d:\d\d/g)).toEqual(['08:25:15']);
  });

  test('is incomplete afterwards, with the range', () => {
    const { remembered } = judge({ lastProgressAt: minutesAgo(80), settledBucket: minutesAgo(80) });
    expect(remembered.match(/\d\d:\d\d:\d\d/g)).toEqual(['06:40:15', '07:05:00']);
  });

  test('is not stated if nothing was ever settled', () => {
    const { remembered } = judge({ lastProgressAt: minutesAgo(6), settledBucket: undefined });
    expect(remembered).not.toMatch(/\d\d:\d\d/);
  });
});

test.each([
  [14, 'good', 'good'],
  [15, 'settling_late', 'warning'],
  [44, 'settling_late', 'warning'],
  [45, 'settling_stalled', 'critical'],
  [120, 'settling_stalled', 'critical'],
])(
  '%d minutes without a settled bucket are %s (%s), even if the stream delivers records',
  (minutes, state, severity) => {
    expect(judge({ lastSettledAt: minutesAgo(minutes) })).toMatchObject({ state, severity });
  },
);

test.each([
  [15, 8, 'good'],
  [22, 7, 'good'],
  [22, 8, 'stream_late'],
])(
  'a stream whose last complete bucket is %d minutes old, with %d missed buckets, is %s',
  (minutes, missed, state) => {
    expect(judge({ streamedBucket: minutesAgo(minutes), missedByStream: missed }).state).toBe(state);
  },
);

test('crashes are a finding from the third on; a worse finding replaces it, with the crashes as cause', () => {
  const crashed = (count: number) => ({ count, lastAt: minutesAgo(1), failure: 'it broke' });
  expect(judge({ crashes: crashed(2) }).state).toBe('good');
  expect(judge({ crashes: crashed(3) })).toMatchObject({ state: 'crashing', severity: 'warning' });
  const trouble = { what: 'Another problem.', at: minutesAgo(1) };
  const stalled = judge({ crashes: crashed(3), trouble, lastProgressAt: minutesAgo(60) });
  expect(stalled).toMatchObject({ state: 'stalled', severity: 'critical' });
  expect(stalled.cause).toContain('it broke');
});

test('a stored time in the future is a finding, and does not hide late settling or progress', () => {
  const futureAt = minutesAgo(-90);
  expect(judge({ futureAt })).toMatchObject({ state: 'clock_ahead', severity: 'warning' });
  expect(judge({ futureAt, lastProgressAt: undefined }).state).toBe('clock_ahead');
  expect(judge({ futureAt, lastSettledAt: minutesAgo(60) }).state).toBe('settling_stalled');
  expect(judge({ futureAt, lastProgressAt: minutesAgo(60) }).state).toBe('stalled');
});
