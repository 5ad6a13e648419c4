import { describe, expect, test } from 'vitest';
import { judgeFreshness } from '../../../src/reports/freshness-state.ts';
import type { FreshnessFacts } from '../../../src/trail/freshness.ts';

const nowMs = Date.parse('2026-11-24T08:00:00Z');
const minutesAgo = (minutes: number) => new Date(nowMs - minutes * 60_000);
const going: FreshnessFacts = {
  since: minutesAgo(10_000),
  lastProgressAt: minutesAgo(0.5),
  newestBucket: minutesAgo(1),
  settledBucket: minutesAgo(7),
  trouble: undefined,
  gapCause: undefined,
};
const begun = { lastProgressAt: undefined, newestBucket: undefined, settledBucket: undefined };

function judge(facts: Partial<FreshnessFacts> = {}) {
  return judgeFreshness(
    { ...going, ...facts },
    { nowMs, warnMinutes: 5, pageMinutes: 45, formatTime: (time) => time.toISOString().slice(11, 19) },
  );
}

test.each([
  [4.9, 'good', 'good'],
  [5, 'late', 'warning'],
  [44.9, 'late', 'warning'],
  [45, 'stalled', 'critical'],
  [500, 'stalled', 'critical'],
])('%d minutes after the last progress it is %s (%s)', (minutes, state, severity) => {
  expect(judge({ lastProgressAt: minutesAgo(minutes) })).toMatchObject({ state, severity });
});

test.each([
  [1, 'beginning', 'good'],
  [5, 'never_merged', 'warning'],
  [45, 'stalled', 'critical'],
])('a trail that never merged anything is %s as a beginner of %d minutes', (minutes, state, severity) => {
  const verdict = judge({ ...begun, since: minutesAgo(minutes) });
  expect(verdict).toMatchObject({ state, severity });
  if (severity !== 'good') {
    expect(verdict.what).toMatch(/Nothing was ever merged/);
    expect(verdict.cause).toMatch(/FELIX_FLOWLOGSGOLDMANESERVER/);
  }
});

describe('the cause', () => {
  const late = { lastProgressAt: minutesAgo(10) };

  test('is the trouble that the readers left, with when it was seen last', () => {
    const trouble = { what: 'Stale certificate: it worked. Re-sync.', at: minutesAgo(1) };
    expect(judge({ ...late, trouble }).cause).toBe(
      'Stale certificate: it worked. Re-sync. (Seen last at 07:59:00.)',
    );
  });

  test('is what made the newest bucket a gap, when Goldmane answers but nothing comes of it', () => {
    expect(judge({ ...late, gapCause: 'Goldmane answered empty' }).cause).toMatch(
      /^Goldmane answered empty\. Confirm that Goldmane is enabled/,
    );
  });

  test('is looked for with the supervisor when nobody left one', () => {
    expect(judge(late).cause).toMatch(/flow-trail\/supervisor/);
  });

  test('is none while all is well', () => {
    expect(judge({ trouble: { what: 'An old one.', at: minutesAgo(1) } }).cause).toBe('');
  });
});

describe('what Goldmane remembers', () => {
  test('is everything until 55 minutes after the newest settled bucket', () => {
    expect(judge({ lastProgressAt: minutesAgo(20), settledBucket: minutesAgo(30) }).remembered).toBe(
      'Nothing is lost yet: Goldmane still remembers everything until 08:25:15.',
    );
  });

  test('is no longer everything after that, and from when to when is said', () => {
    expect(judge({ lastProgressAt: minutesAgo(80), settledBucket: minutesAgo(80) }).remembered).toBe(
      'Goldmane has begun to forget: of the time from 06:40:15 to 07:05:00 only what was streamed is left.',
    );
  });

  test('is not claimed where nothing was ever settled', () => {
    expect(judge({ lastProgressAt: minutesAgo(6), settledBucket: undefined }).remembered).toMatch(
      /^No bucket was settled yet/,
    );
  });
});
