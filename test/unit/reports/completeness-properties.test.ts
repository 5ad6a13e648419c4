import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { assessCompleteness } from '../../../src/reports/completeness.ts';
import { leastDays } from '../../../src/coverage/verdict.ts';
import { coveredTime, missedTime } from '../../../src/coverage/covered-time.ts';
import { daySeconds } from '../../../src/time/units.ts';
import { anyCoverage, anyObservation, anyThresholds, at, judged, monday, usual } from './weeks.ts';

// Thousands of random cases, which take long on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const anyNow = fc.integer({ min: 0, max: 45 * 96 }).map((quarters) => quarters / 96);

/** A simple count of covered quarters of an hour, which is exact for the generated input. */
function coveredQuarters(coverage: Parameters<typeof coveredTime>[0], from: number, to: number): number {
  let seconds = 0;
  for (const { fromSeconds, toSeconds, state } of coverage)
    if (state === 'final' || state === 'settled')
      for (let quarter = fromSeconds; quarter < toSeconds; quarter += 900)
        if (quarter >= from && quarter + 900 <= to) seconds += 900;
  return seconds;
}

test('covered time equals the count of covered quarters of an hour', () => {
  fc.assert(
    fc.property(anyCoverage, fc.nat(4_500), fc.nat(4_500), (coverage, a, b) => {
      const [from, to] = [monday + Math.min(a, b) * 900, monday + Math.max(a, b) * 900];
      expect(coveredTime(coverage).between(from, to)).toBe(coveredQuarters(coverage, from, to));
    }),
  );
});

test('covered and missed time add up to the period', () => {
  fc.assert(
    fc.property(anyCoverage, anyNow, (coverage, now) => {
      const end = Math.min(at(now), coverage.at(-1)?.toSeconds ?? monday);
      const covered = coveredTime(coverage).between(monday, end);
      const missed = missedTime(coverage).between(monday, end);
      expect(covered + missed).toBe(end - monday);
    }),
  );
});

test('the time when an amount was covered is the earliest such time', () => {
  fc.assert(
    fc.property(
      anyCoverage,
      fc.nat(2_000),
      fc.integer({ min: 1, max: 2_000 }),
      (coverage, start, quarters) => {
        const [time, from, seconds] = [coveredTime(coverage), monday + start * 900, quarters * 900];
        const end = coverage.at(-1)?.toSeconds ?? monday;
        const moment = time.whenPassed(from, seconds);
        if (moment === undefined) expect(time.between(from, end)).toBeLessThan(seconds);
        else {
          expect(time.between(from, moment)).toBe(seconds);
          expect(time.between(from, moment - 1)).toBeLessThan(seconds);
        }
      },
    ),
  );
});

test('no namespace is complete below seven covered days, below the configured days, or with an edge newer than configured', () => {
  let complete = 0;
  fc.assert(
    fc.property(anyObservation, anyCoverage, anyThresholds, anyNow, (seen, coverage, thresholds, now) => {
      const row = judged(seen, { coverage, thresholds, now });
      if (row.verdict !== 'complete') return;
      complete += 1;
      const since = row.watchedSince === null ? Number.NaN : row.watchedSince.getTime() / 1000;
      const days = coveredTime(coverage).between(since, at(now)) / daySeconds;
      expect(days).toBeGreaterThanOrEqual(Math.max(leastDays, thresholds.minimumDays));
      expect(row.coveredDays).toBeGreaterThanOrEqual(leastDays);
      expect(row.daysSinceNewEdge ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(thresholds.stableDays);
      expect(row.since.getTime()).toBeLessThanOrEqual(at(now) * 1000);
    }),
    { numRuns: 1_000 },
  );
  expect(complete).toBeGreaterThan(20);
});

test('a namespace that is complete since a time is complete at that time, but not a second before', () => {
  let complete = 0;
  fc.assert(
    fc.property(anyObservation, anyCoverage, anyThresholds, anyNow, (seen, coverage, some, now) => {
      const thresholds = { ...some, staleDays: 1_000 };
      const judgedAt = (nowSeconds: number) =>
        assessCompleteness({
          observations: [seen],
          coverage,
          nowSeconds,
          timeZone: 'UTC',
          thresholds,
        }).namespaces[0];
      const row = judgedAt(at(now));
      if (row?.verdict !== 'complete') return;
      complete += 1;
      const since = row.since.getTime() / 1000;
      expect(judgedAt(since)?.verdict).toBe('complete');
      expect(judgedAt(since - 1)?.verdict).not.toBe('complete');
    }),
    { numRuns: 1_000 },
  );
  expect(complete).toBeGreaterThan(20);
});

test('neither filling a gap nor time reduces covered days', () => {
  fc.assert(
    fc.property(
      anyObservation,
      anyCoverage,
      anyNow,
      fc.double({ min: 0, max: 10, noNaN: true }),
      (seen, coverage, now, more) => {
        // Without namespaces that reappear after being stale, because these start again.
        const thresholds = { ...usual, staleDays: 1_000 };
        const { coveredDays } = judged(seen, { coverage, thresholds, now });
        const healed = coverage.map((stretch) => ({ ...stretch, state: 'final' as const }));
        expect(judged(seen, { coverage: healed, thresholds, now }).coveredDays).toBeGreaterThanOrEqual(
          coveredDays,
        );
        expect(judged(seen, { coverage, thresholds, now: now + more }).coveredDays).toBeGreaterThanOrEqual(
          coveredDays,
        );
      },
    ),
  );
});

test('the order of days, stretches and namespaces does not matter', () => {
  const shuffled = <Item>(items: Item[]) => fc.shuffledSubarray(items, { minLength: items.length });
  const cases = fc
    .record({ seen: fc.array(anyObservation, { maxLength: 4 }), coverage: anyCoverage, now: anyNow })
    .chain(({ seen, coverage, now }) => {
      const named = seen.map((one, index) => ({ ...one, namespace: `n${index}` }));
      const mixed = fc.tuple(...named.map((one) => shuffled(one.days).map((days) => ({ ...one, days }))));
      return fc.record({
        named: fc.constant(named),
        mixed: mixed.chain((all) => shuffled([...all])),
        coverage: fc.constant(coverage),
        mixedCoverage: shuffled(coverage),
        now: fc.constant(now),
      });
    });
  fc.assert(
    fc.property(cases, ({ named, mixed, coverage, mixedCoverage, now }) => {
      const rest = { nowSeconds: at(now), timeZone: 'Europe/London', thresholds: usual };
      expect(assessCompleteness({ observations: mixed, coverage: mixedCoverage, ...rest })).toEqual(
        assessCompleteness({ observations: named, coverage, ...rest }),
      );
    }),
  );
});
