import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeOfWallClock, wallClockAt, wallClockText } from '../../../src/time/wall-clock.ts';

const reading = (year: number, month: number, day: number, hour: number, minute: number) => ({
  year,
  month,
  day,
  hour,
  minute,
  second: 0,
});
const timeOf = (...args: [...Parameters<typeof reading>, string]) => {
  const [year, month, day, hour, minute, zone] = args;
  return timeOfWallClock(reading(year, month, day, hour, minute), zone)?.toISOString();
};

test('a time has the wall clock reading of its zone', () => {
  const time = new Date('2026-07-01T12:00:00Z');
  expect(wallClockText(time, 'Europe/London')).toBe('2026-07-01 13:00:00 BST');
  expect(wallClockText(time, 'UTC')).toBe('2026-07-01 12:00:00 UTC');
});

test('reading the clock and setting it are inverse', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
      fc.constantFrom('Europe/London', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC'),
      (date, zone) => {
        const shown = wallClockAt(date, zone);
        const time = timeOfWallClock(shown, zone);
        expect(time && { ...wallClockAt(time, zone), zone: '' }).toEqual({ ...shown, zone: '' });
      },
    ),
  );
}, 60_000);

test('an hour that occurs twice is its first occurrence', () => {
  expect(timeOf(2026, 10, 25, 1, 30, 'Europe/London')).toBe('2026-10-25T00:30:00.000Z');
});

test('an hour that is skipped is as long after the change', () => {
  expect(timeOf(2026, 3, 29, 1, 30, 'Europe/London')).toBe('2026-03-29T01:30:00.000Z');
});

test('a date that does not exist has no time', () => {
  expect(timeOf(2026, 2, 30, 0, 0, 'UTC')).toBeUndefined();
});
