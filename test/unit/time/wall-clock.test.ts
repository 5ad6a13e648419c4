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

test('a time is converted to the wall clock of its zone', () => {
  const time = new Date('2026-07-01T12:00:00Z');
  expect(wallClockText(time, 'Europe/London')).toBe('2026-07-01 13:00:00 BST');
  expect(wallClockText(time, 'UTC')).toBe('2026-07-01 12:00:00 UTC');
});

test('conversions to and from the wall clock are inverse', () => {
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

test('an hour that occurs twice means the first occurrence', () => {
  expect(timeOf(2026, 10, 25, 1, 30, 'Europe/London')).toBe('2026-10-25T00:30:00.000Z');
});

test('a skipped hour means the time equally long after the change', () => {
  expect(timeOf(2026, 3, 29, 1, 30, 'Europe/London')).toBe('2026-03-29T01:30:00.000Z');
});

test('a nonexistent date has no time', () => {
  expect(timeOf(2026, 2, 30, 0, 0, 'UTC')).toBeUndefined();
});
