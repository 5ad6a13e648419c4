import { expect, test } from 'vitest';
import { spanText, zonedTime } from '../../../src/time/zoned-time.ts';

test.each([
  ['Europe/London', '2026-11-23T08:00:00Z', 'Mon 23 Nov 08:00', 'Mon 23 Nov 08:00 GMT'],
  ['Europe/London', '2026-07-05T23:30:00Z', 'Mon 6 Jul 00:30', 'Mon 6 Jul 00:30 BST'],
  ['Asia/Kolkata', '2026-11-23T20:00:00Z', 'Tue 24 Nov 01:30', 'Tue 24 Nov 01:30 GMT+5:30'],
  ['UTC', '2026-01-01T00:00:00Z', 'Thu 1 Jan 00:00', 'Thu 1 Jan 00:00 UTC'],
])('%s reads %s as %s', (zone, time, minute, exact) => {
  expect(zonedTime(zone).minute(new Date(time))).toBe(minute);
  expect(zonedTime(zone).exact(new Date(time))).toBe(exact);
});

test('times that may be years away include the year', () => {
  const time = new Date('2027-06-30T23:30:00Z');
  expect(zonedTime('Europe/London').dated(time)).toBe('1 Jul 2027, 00:30 BST');
});

test.each([
  [0, '0 s'],
  [45, '45 s'],
  [60, '1 min'],
  [5_415, '1 h 30 min'],
  [86_400, '1 d'],
  [90_061, '1 d 1 h'],
  [86_460, '1 d'],
])('%d seconds are %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text);
});
