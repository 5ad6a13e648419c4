import { describe, expect, test } from 'vitest';
import { coveredTime } from '../../../src/coverage/covered-time.ts';
import { hoursInWords, LocalWeek } from '../../../src/coverage/local-week.ts';
import { weekdays } from '../../../src/time/weekdays.ts';

const seconds = (iso: string) => Date.parse(iso) / 1000;

function local(timeZone: string, iso: string): string {
  const hour = new LocalWeek(timeZone).hourOfWeek(seconds(iso));
  return `${weekdays[Math.floor(hour / 24)]} ${hour % 24}`;
}

describe('the hour of the week', () => {
  test.each([
    ['UTC', '2026-11-02T00:00:00Z', 'monday 0'],
    ['Europe/London', '2026-10-25T00:59:59Z', 'sunday 1'],
    ['Europe/London', '2026-10-25T01:00:00Z', 'sunday 1'],
    ['Europe/London', '2027-03-28T00:59:59Z', 'sunday 0'],
    ['Europe/London', '2027-03-28T01:00:00Z', 'sunday 2'],
    ['Asia/Kathmandu', '2026-11-01T18:15:00Z', 'monday 0'],
    ['Pacific/Auckland', '2026-11-01T12:00:00Z', 'monday 1'],
    ['America/St_Johns', '2026-11-02T03:29:59Z', 'sunday 23'],
    ['America/St_Johns', '2026-11-02T03:30:00Z', 'monday 0'],
  ])('in %s at %s is %s', (timeZone, iso, expected) => {
    expect(local(timeZone, iso)).toBe(expected);
  });
});

describe('hours covered once', () => {
  function missing(timeZone: string, from: string, to: string): string[] {
    const stretches = [{ fromSeconds: seconds(from), toSeconds: seconds(to), state: 'final' as const }];
    const latest = new LocalWeek(timeZone).latestCoveredHours(coveredTime(stretches), seconds(to));
    return hoursInWords(latest.flatMap((at, hour) => (at === undefined ? [hour] : [])));
  }

  test.each(['UTC', 'Europe/London', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Auckland'])(
    'are all of them after eight days in %s',
    (timeZone) => {
      expect(missing(timeZone, '2026-11-10T10:23:00Z', '2026-11-18T10:23:00Z')).toEqual([]);
    },
  );

  test('are the whole week before anything is covered', () => {
    expect(missing('UTC', '2026-11-02T10:00:00Z', '2026-11-02T10:30:00Z')).toEqual(['the whole week']);
  });

  test('do not include the hour in which the period begins', () => {
    expect(missing('UTC', '2026-11-02T10:23:00Z', '2026-11-09T10:23:00Z')).toEqual(['monday 10:00-11:00']);
  });

  test('do not include the hour that the clocks skip in spring', () => {
    expect(missing('Europe/London', '2027-03-22T00:00:00Z', '2027-03-29T00:00:00Z')).toEqual([
      'sunday 01:00-02:00',
    ]);
  });

  test('include the hour that occurs twice in autumn', () => {
    expect(missing('Europe/London', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z')).not.toContain('sunday');
    expect(missing('Europe/London', '2026-10-18T23:00:00Z', '2026-10-26T00:00:00Z')).toEqual([]);
  });

  test('are right where clocks change by half an hour, except for the hours next to the change', () => {
    const found = missing('Australia/Lord_Howe', '2027-04-01T00:00:00Z', '2027-04-09T12:00:00Z');
    expect(found.filter((words) => !words.startsWith('sunday'))).toEqual([]);
  });

  test('have the time when they were last covered', () => {
    const week = new LocalWeek('UTC');
    const covered = coveredTime([
      {
        fromSeconds: seconds('2026-11-02T00:00:00Z'),
        toSeconds: seconds('2026-11-20T00:00:00Z'),
        state: 'settled',
      },
    ]);
    const latest = week.latestCoveredHours(covered, seconds('2026-11-20T00:00:00Z'));
    expect(latest[0]).toBe(seconds('2026-11-16T00:00:00Z'));
  });
});
