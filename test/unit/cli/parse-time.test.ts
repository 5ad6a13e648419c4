import { describe, expect, test } from 'vitest';
import { parseForUtcDays, parsePast, parseSince } from '../../../src/cli/input/parse-time.ts';
import { minuteMs } from '../../../src/time/units.ts';
import { wallClockText } from '../../../src/time/wall-clock.ts';

const now = new Date('2026-01-31T12:00:00Z');
const since = (text: string, timeZone?: string) => parseSince('--since', text, now, timeZone).toISOString();
/** London, New York, and Lord Howe Island, whose clocks change by half an hour. */
const clockChanges = [
  ...['2025-03-30T01:00:00Z', '2025-10-26T01:00:00Z'],
  ...['2025-03-09T07:00:00Z', '2025-11-02T06:00:00Z'],
  ...['2025-04-05T15:00:00Z', '2025-10-04T15:30:00Z'],
];
const usage = expect.objectContaining({ system: 'command', kind: 'usage' });

describe('a time', () => {
  test.each([
    ['30s', '2026-01-31T11:59:30.000Z'],
    ['90m', '2026-01-31T10:30:00.000Z'],
    ['24h', '2026-01-30T12:00:00.000Z'],
    ['7d', '2026-01-24T12:00:00.000Z'],
    ['2w', '2026-01-17T12:00:00.000Z'],
    ['0d', '2026-01-31T12:00:00.000Z'],
    ['now', '2026-01-31T12:00:00.000Z'],
    ['1h30m', '2026-01-31T10:30:00.000Z'],
    ['2h ago', '2026-01-31T10:00:00.000Z'],
    ['2 hours ago', '2026-01-31T10:00:00.000Z'],
    ['90 min', '2026-01-31T10:30:00.000Z'],
    ['today', '2026-01-31T00:00:00.000Z'],
    ['Yesterday', '2026-01-30T00:00:00.000Z'],
    ['yesterday 22:00', '2026-01-30T22:00:00.000Z'],
    // 31 January 2026 is a Saturday.
    ['sat 11:00', '2026-01-31T11:00:00.000Z'],
    ['saturday 13:00', '2026-01-24T13:00:00.000Z'],
    ['mon', '2026-01-26T00:00:00.000Z'],
    ['last mon', '2026-01-26T00:00:00.000Z'],
    ['last saturday', '2026-01-24T00:00:00.000Z'],
    ['last sat 11:00', '2026-01-24T11:00:00.000Z'],
    ['03:00 UTC', '2026-01-31T03:00:00.000Z'],
    ['yesterday 22:00 UTC', '2026-01-30T22:00:00.000Z'],
    ['31 Jan 2026', '2026-01-31T00:00:00.000Z'],
    ['30 Jan 2026, 20:10', '2026-01-30T20:10:00.000Z'],
    ['Fri 30 Jan 20:10 GMT', '2026-01-30T20:10:00.000Z'],
    ['30 November', '2025-11-30T00:00:00.000Z'],
    ['2026-01-01 08:00:30 UTC', '2026-01-01T08:00:30.000Z'],
    ['2026-01-01 08:00+02:00', '2026-01-01T06:00:00.000Z'],
    ['2026-01-01', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T08:00Z', '2026-01-01T08:00:00.000Z'],
    ['2026-01-01T08:00:00+02:00', '2026-01-01T06:00:00.000Z'],
    ['2026-01-01 08:00', '2026-01-01T08:00:00.000Z'],
    ['2026-01-01 08:00:30', '2026-01-01T08:00:30.000Z'],
  ])('%s is %s', (text, time) => {
    expect(since(text)).toBe(time);
  });

  test('without an offset is in the given zone', () => {
    expect(since('2025-07-01', 'Europe/London')).toBe('2025-06-30T23:00:00.000Z');
    expect(since('2025-07-01 08:00', 'Asia/Kathmandu')).toBe('2025-07-01T02:15:00.000Z');
  });

  test('of day with a zone is in that zone, also if the day differs', () => {
    expect(since('03:00 UTC', 'America/New_York')).toBe('2026-01-31T03:00:00.000Z');
    expect(since('23:00 UTC', 'Asia/Kathmandu')).toBe('2026-01-30T23:00:00.000Z');
    expect(since('sat 11:00 Z', 'Asia/Kathmandu')).toBe('2026-01-31T11:00:00.000Z');
    expect(since('03:00 CET', 'Europe/Berlin')).toBe('2026-01-31T02:00:00.000Z');
    for (const other of ['03:00 CST', 'sat 03:00 CST', 'last today', 'last 03:00', 'last 24h'])
      expect(() => since(other, 'America/New_York')).toThrow(usage);
  });

  test('for whole UTC days: a date is that UTC day, and a time as printed has its zone', () => {
    const time = (text: string) => parseForUtcDays('--since', text, now, 'Europe/Berlin').toISOString();
    expect(time('2026-01-01')).toBe('2026-01-01T00:00:00.000Z');
    expect(time('2026-01-01 08:00:00 CET')).toBe('2026-01-01T07:00:00.000Z');
  });

  test('of day is its most recent occurrence, today or yesterday', () => {
    expect(since('03:00')).toBe('2026-01-31T03:00:00.000Z');
    expect(since('12:01')).toBe('2026-01-30T12:01:00.000Z');
    expect(since('03:00', 'America/New_York')).toBe('2026-01-31T08:00:00.000Z');
  });

  test.each([
    '',
    '7',
    '7y',
    '-7d',
    '1.5h',
    'tomorrow',
    'yesterday 25:00',
    '1M',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '12/31/2026',
    '9999999999999d',
    '31/01/2026 08:00',
    '31 Foo 2026',
    'ago',
    '2026-01-01 08:00 CST',
    '25:00',
    '2026-01-01 8',
    '2026-01-01T08:00Zebra',
  ])('%j is rejected, with the name of the option and examples', (text) => {
    expect(() => since(text)).toThrow(usage);
    expect(() => since(text)).toThrow(/^--since ".*" is not a time\. .*2026-01-31/);
  });

  test('of a day named relative to today is in the given zone', () => {
    // In Auckland it is already 1 February, 01:00.
    expect(since('yesterday 22:00', 'Pacific/Auckland')).toBe('2026-01-31T09:00:00.000Z');
    expect(since('sunday', 'Pacific/Auckland')).toBe('2026-01-31T11:00:00.000Z');
  });

  test.each(['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'])(
    'as printed in %s is the time that was printed, also while clocks change',
    (timeZone) => {
      for (const change of clockChanges)
        for (let minutes = -180; minutes <= 180; minutes += 30) {
          const printed = new Date(Date.parse(change) + minutes * minuteMs);
          const text = wallClockText(printed, timeZone);
          expect([text, parseSince('--since', text, now, timeZone)]).toEqual([text, printed]);
        }
    },
  );

  test('in the future is not a start', () => {
    expect(() => parsePast('--since', '2999-01-01')).toThrow(usage);
    expect(parsePast('--since', '0d')).toBeInstanceOf(Date);
  });
});
