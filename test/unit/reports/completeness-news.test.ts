import { describe, expect, test } from 'vitest';
import { assessCompleteness, type CompletenessReport } from '../../../src/reports/completeness.ts';
import { changesByVerdict, newsOf } from '../../../src/reports/completeness-news.ts';
import { at, seenDaily, stretch, usual, withEdge } from './weeks.ts';

const mondays = 1;

/** A report, `days` after Monday 00:00 in London: `a` is complete, `b` is learning. */
function reportAt(days: number, timeZone = 'Europe/London'): CompletenessReport {
  return assessCompleteness({
    observations: [
      { ...withEdge(seenDaily(0, Math.floor(days)), 0), namespace: 'a' },
      { ...withEdge(seenDaily(Math.floor(days) - 1, Math.floor(days)), 0), namespace: 'b' },
    ],
    coverage: [stretch(0, days)],
    nowSeconds: at(days),
    timeZone,
    thresholds: usual,
  });
}

function postedBefore(verdicts: Record<string, string>, wholeDays?: number) {
  return {
    verdicts: new Map(Object.entries(verdicts)),
    wholeAt: wholeDays === undefined ? undefined : new Date(at(wholeDays) * 1000),
  };
}

const known = { a: 'complete', b: 'learning' };

describe('a report is posted', () => {
  test('in full the first time, without changes', () => {
    expect(newsOf(reportAt(9), postedBefore({}), mondays)).toEqual({ kind: 'first', changes: [] });
  });

  test('for each namespace whose verdict changed since it was posted, and for each new one', () => {
    const news = newsOf(reportAt(9), postedBefore({ a: 'learning' }, 8), mondays);
    expect(news?.kind).toBe('changes');
    expect(news?.changes.map(({ row, was }) => [row.namespace, was, row.verdict])).toEqual([
      ['a', 'learning', 'complete'],
      ['b', undefined, 'learning'],
    ]);
  });

  test('once a week, on the configured day, even without changes', () => {
    expect(newsOf(reportAt(14), postedBefore(known, 7.3), mondays)).toEqual({ kind: 'weekly', changes: [] });
    expect(newsOf(reportAt(14.5), postedBefore(known, 14), mondays)).toBeUndefined();
    expect(newsOf(reportAt(15), postedBefore(known, 9), 2)).toEqual({ kind: 'weekly', changes: [] });
  });

  test('on a later day if the weekly report was missed', () => {
    expect(newsOf(reportAt(18), postedBefore(known, 7), mondays)?.kind).toBe('weekly');
    expect(newsOf(reportAt(20.9), postedBefore(known, 14), mondays)).toBeUndefined();
  });

  test('by the calendar of the time zone: Sunday evening in London is Monday in Auckland', () => {
    expect(newsOf(reportAt(13.6, 'Pacific/Auckland'), postedBefore(known, 8), mondays)?.kind).toBe('weekly');
    expect(newsOf(reportAt(13.6), postedBefore(known, 8), mondays)).toBeUndefined();
  });
});

test('no report is posted without changes or observations', () => {
  expect(newsOf(reportAt(9), postedBefore(known, 8), mondays)).toBeUndefined();
  expect(newsOf({ ...reportAt(9), namespaces: [] }, postedBefore({}), mondays)).toBeUndefined();
});

test('changes are grouped by verdict, without empty groups', () => {
  const changes = newsOf(reportAt(9), postedBefore({ a: 'learning' }, 8), mondays)?.changes ?? [];
  expect(changesByVerdict(changes).map(([verdict, group]) => [verdict, group.length])).toEqual([
    ['complete', 1],
    ['learning', 1],
  ]);
});
