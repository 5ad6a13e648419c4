import { describe, expect, test } from 'vitest';
import { gapsReportedUntil, coverageLines, summariseCoverage } from '../../../src/reports/digest-gaps.ts';
import type { CoverageState, CoverageStretch } from '../../../src/trail/coverage-ranges/coverage.ts';

const hour = 3_600;
const from = new Date(0);
const time = (at: Date) => at.toISOString().slice(11, 16);

/** Adjacent stretches from midnight on, by state and length in hours. */
function coverage(...stretches: [CoverageState, number, string?][]): CoverageStretch[] {
  let at = 0;
  return stretches.map(([state, hours, cause]) => {
    const fromSeconds = at;
    at += hours * hour;
    return { fromSeconds, toSeconds: at, state, ...(cause === undefined ? {} : { cause }) };
  });
}

function lines(stretches: CoverageStretch[], nowHours: number, atMost = 5): string[] {
  const now = new Date(nowHours * hour * 1000);
  return coverageLines(summariseCoverage(stretches, { from, now, time }), {
    quote: (cause) => `"${cause}"`,
    atMost,
  });
}

test('nothing is reported if everything except the newest minutes was observed', () => {
  expect(lines(coverage(['final', 5], ['settled', 0.9], ['streamed', 0.05], ['pending', 0.05]), 6)).toEqual(
    [],
  );
});

test('a gap is reported with its cause', () => {
  expect(lines(coverage(['final', 1], ['gap', 0.5, 'Goldmane was down'], ['final', 0.5]), 2)).toEqual([
    'Not observed: 30 min, in 1 gap.',
    '01:00 to 01:30 (30 min): "Goldmane was down"',
  ]);
});

test('many gaps are summed up, with the command that lists them', () => {
  const many = coverage(
    ...Array.from({ length: 8 }, (_, index): [CoverageState, number] => [index % 2 ? 'final' : 'gap', 0.25]),
  );
  expect(lines(many, 2, 1)).toEqual([
    'Not observed: 1 h, in 4 gaps.',
    '00:00 to 00:15 (15 min): "unknown cause"',
    'and 3 more gaps, 45 min: flow-trail coverage --gaps',
  ]);
});

test('a trail that began within the period, or has not begun, is reported', () => {
  const began = coverage(['pending', 1], ['final', 1]).slice(1);
  expect(lines(began, 2)).toEqual(['The trail begins at 01:00; earlier time was not observed.']);
  expect(lines([], 2)).toEqual(['Nothing has been observed yet: the trail is empty.']);
});

describe('pending time', () => {
  const open = coverage(['final', 1], ['pending', 0.5], ['gap', 0.5], ['final', 1]);

  test('is reported if it should have been settled', () => {
    expect(lines(open, 3)).toEqual([
      'No bucket has been settled since 01:00; the next digest covers that time.',
    ]);
  });

  test('is left to the next digest, so that each gap is reported exactly once', () => {
    const until = gapsReportedUntil(open, new Date(3 * hour * 1000));
    expect(until).toEqual(new Date(hour * 1000));
    expect(gapsReportedUntil(coverage(['final', 3]), new Date(3 * hour * 1000))).toEqual(
      new Date(3 * hour * 1000),
    );
  });
});
