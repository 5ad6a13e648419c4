import { describe, expect, test } from 'vitest';
import { assessCompleteness } from '../../../src/reports/completeness.ts';
import { at, judged, observation, seenDaily, seenOn, stretch, usual, withEdge } from './weeks.ts';

const date = (days: number) => new Date(at(days) * 1000);

describe('a namespace', () => {
  test('is learning until seven covered days, and complete from then on', () => {
    const seen = withEdge(seenDaily(0, 7), 0);
    expect(judged(seen, { now: 6.999 })).toMatchObject({
      verdict: 'learning',
      since: date(0),
      coveredDays: 6.9,
    });
    expect(judged(seen, { now: 7 })).toMatchObject({ verdict: 'complete', since: date(7), coveredDays: 7 });
    expect(judged(seen, { now: 12 })).toMatchObject({ verdict: 'complete', since: date(7), coveredDays: 12 });
  });

  test('is unstable for three covered days after a new egress edge, then complete', () => {
    const seen = withEdge(seenDaily(0, 14), 10);
    expect(judged(seen, { now: 12.9 })).toMatchObject({
      verdict: 'unstable',
      since: date(10),
      daysSinceNewEdge: 2.9,
    });
    expect(judged(seen, { now: 13 })).toMatchObject({ verdict: 'complete', since: date(13) });
  });

  test('is complete with an empty allowlist if it never connected to another namespace', () => {
    expect(judged(observation(seenDaily(0, 7, 0)), { now: 7 })).toMatchObject({
      verdict: 'complete',
      egressEdges: 0,
      newestEdge: null,
      daysSinceNewEdge: null,
      weekdaysSeen: [],
    });
  });

  test('is stale after fourteen covered days without traffic', () => {
    const seen = withEdge(seenDaily(0, 8), 0);
    const last = at(8) - 15;
    expect(judged(seen, { now: 21.9 })).toMatchObject({ verdict: 'complete' });
    expect(judged(seen, { now: 22.1 })).toMatchObject({
      verdict: 'stale',
      since: new Date((last + 14 * 86_400) * 1000),
      lastSeen: new Date(last * 1000),
    });
  });

  test('is not stale because of a gap', () => {
    const coverage = [stretch(0, 8), stretch(8, 28, 'gap'), stretch(28, 29)];
    expect(judged(withEdge(seenDaily(0, 8), 0), { now: 29, coverage })).toMatchObject({
      verdict: 'complete',
    });
  });

  test('is not stable because of a gap', () => {
    const coverage = [stretch(0, 10), stretch(10, 20, 'gap'), stretch(20, 21)];
    expect(judged(withEdge(seenDaily(0, 10), 9.5), { now: 21, coverage })).toMatchObject({
      verdict: 'unstable',
      daysSinceNewEdge: 1.5,
    });
  });

  test('starts again when it reappears after it was stale, because it may be another namespace of that name', () => {
    const seen = withEdge([...seenDaily(0, 2), ...seenDaily(30, 33)], 0);
    expect(judged(seen, { now: 33 })).toMatchObject({
      verdict: 'learning',
      watchedSince: date(30),
      coveredDays: 3,
      daysSeen: 3,
    });
  });

  test('continues after a shorter outage', () => {
    const seen = withEdge([...seenDaily(0, 2), ...seenDaily(15, 16)], 0);
    expect(judged(seen, { now: 16 })).toMatchObject({ verdict: 'complete', watchedSince: date(0) });
  });

  test('with only streamed records is learning, regardless of its edges’ age, because facts come from settling', () => {
    const seen = observation([], {
      egressEdges: 3,
      newestEgressEdgeSeconds: at(-300),
      edgesFirstSeconds: at(-300),
      edgesLastSeconds: at(9),
    });
    expect(judged(seen, { now: 10 })).toMatchObject({
      verdict: 'learning',
      since: date(-300),
      watchedSince: null,
      coveredDays: 0,
    });
  });

  test('that was taken over and has no further traffic becomes stale, never complete', () => {
    const seen = observation([], { egressEdges: 3, edgesFirstSeconds: at(-300), edgesLastSeconds: at(-1) });
    const verdicts = Array.from({ length: 30 }, (_, day) => judged(seen, { now: day + 1 }).verdict);
    expect([...new Set(verdicts)]).toEqual(['learning', 'stale']);
  });
});

describe('days', () => {
  test('exclude gaps and time that was only streamed', () => {
    const coverage = [
      stretch(0, 2),
      stretch(2, 3, 'gap'),
      stretch(3, 5, 'settled'),
      stretch(5, 5.55, 'streamed'),
      stretch(5.55, 9),
      stretch(9, 9.01, 'pending'),
    ];
    expect(judged(withEdge(seenDaily(0, 9), 0), { now: 9.01, coverage })).toMatchObject({
      verdict: 'complete',
      coveredDays: 7.4,
      uncoveredDays: 1.6,
    });
  });

  test('count from the namespace’s first traffic, not from the trail’s start', () => {
    expect(judged(withEdge(seenDaily(20, 23), 20), { now: 23 })).toMatchObject({
      verdict: 'learning',
      coveredDays: 3,
    });
  });

  test('below seven are never sufficient, regardless of the settings', () => {
    const thresholds = { ...usual, minimumDays: 0 };
    expect(judged(withEdge(seenDaily(0, 7), 0), { now: 6.99, thresholds })).toMatchObject({
      verdict: 'learning',
    });
  });
});

describe('the week', () => {
  test('names weekdays and hours with traffic in local time, across a clock change', () => {
    // On Sunday, 25 October 2026, clocks in London went back from 02:00 to 01:00, so 22:00 to 24:00 UTC the evening before is 23:00 to 01:00.
    const seen = observation([seenOn(-9, 1 << 23), seenOn(-8, 1 << 23)]);
    expect(judged(seen, { now: 0, coverage: [] })).toMatchObject({
      weekdaysSeen: ['sunday'],
      hoursSeen: [0, 23],
    });
  });

  test('names the hours that were never covered since the namespace was first seen', () => {
    const coverage = [
      stretch(0, 2),
      stretch(2, 2.5, 'gap'),
      stretch(2.5, 6),
      stretch(6, 7, 'streamed'),
      stretch(7, 9),
    ];
    const { neverCovered } = judged(withEdge(seenDaily(0, 9), 0), { now: 9, coverage });
    expect(neverCovered).toEqual(['wednesday 00:00-12:00', 'sunday']);
  });

  test('counts an hour as covered only if all of it is', () => {
    const coverage = [stretch(0, 3), stretch(3, 3 + 15 / 86_400, 'gap'), stretch(3 + 15 / 86_400, 7)];
    expect(judged(withEdge(seenDaily(0, 7), 0), { now: 7, coverage }).neverCovered).toEqual([
      'thursday 00:00-01:00',
    ]);
  });

  test('does not include time before it was first seen', () => {
    expect(judged(withEdge(seenDaily(8, 10), 8), { now: 10 }).neverCovered).toEqual([
      'monday',
      'thursday',
      'friday',
      'saturday',
      'sunday',
    ]);
  });
});

test('a report counts verdicts, sorts by name and lists the newest gaps with their causes', () => {
  const coverage = [
    stretch(0, 1),
    ...Array.from({ length: 60 }, (_, n) => [
      stretch(1 + n / 10, 1.05 + n / 10, 'gap'),
      stretch(1.05 + n / 10, 1.1 + n / 10),
    ]),
  ].flat();
  const report = assessCompleteness({
    observations: [
      { ...withEdge(seenDaily(0, 20), 0), namespace: 'b' },
      { ...withEdge(seenDaily(18, 20), 18), namespace: 'c' },
      { ...withEdge(seenDaily(0, 20), 19), namespace: 'a' },
    ],
    coverage: [...coverage, stretch(7, 20)],
    nowSeconds: at(20),
    timeZone: 'Europe/London',
    thresholds: { ...usual, minimumDays: 2 },
  });
  expect(report.namespaces.map(({ namespace, verdict }) => `${namespace} ${verdict}`)).toEqual([
    'a unstable',
    'b complete',
    'c learning',
  ]);
  expect(report).toMatchObject({
    counts: { complete: 1, unstable: 1, learning: 1, stale: 0 },
    thresholds: { minimumDays: 7 },
    trailBegan: date(0),
    coveredDays: 17,
    uncoveredDays: 3,
    gapCount: 60,
  });
  expect(report.gaps).toHaveLength(50);
  expect(report.gaps.at(-1)).toEqual({ from: date(6.9), to: date(6.95), state: 'gap', cause: 'away' });
});
