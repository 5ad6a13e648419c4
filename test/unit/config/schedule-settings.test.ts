import { expect, test } from 'vitest';
import { cronProblem } from '../../../src/config/cron.ts';
import { canonicalTimeZone } from '../../../src/config/time-zone.ts';
import { misleadingCrons, refusedCrons, validCrons } from '../../support/cron-expressions.ts';

test.each(validCrons)('the cron expression %j is accepted', (expression) => {
  expect(cronProblem(expression)).toBeUndefined();
});

test.each([...refusedCrons, ...misleadingCrons])('the cron expression %j is rejected', (expression) => {
  expect(cronProblem(expression)).toEqual(expect.any(String));
});

test.each([
  ['utc', 'UTC'],
  ['GMT', 'UTC'],
  ['Etc/UTC', 'UTC'],
  ['europe/london', 'Europe/London'],
  ['Japan', 'Asia/Tokyo'],
  ['US/Pacific', 'America/Los_Angeles'],
])('the zone %s is stored as %s', (name, canonical) => {
  expect(canonicalTimeZone(name)).toBe(canonical);
});

test.each([
  'PST',
  'pst',
  'EST',
  'CET',
  'ACT',
  'PST8PDT',
  '+01:00',
  'SystemV/PST8',
  'Local',
  'GMT+5',
  '',
  'Nowhere',
])('the zone %j is rejected', (name) => {
  expect(canonicalTimeZone(name)).toBeUndefined();
});
