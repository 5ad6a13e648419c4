import { expect, test } from 'vitest';
import { LostWorkers } from '../../../src/worker/presence.ts';

test('a worker counts as lost when its row is expired in three consecutive renewals', () => {
  const lost = new LostWorkers();
  expect(lost.seen(['a'])).toEqual([]);
  expect(lost.seen(['a', 'b'])).toEqual([]);
  expect(lost.seen(['a', 'b'])).toEqual(['a']);
  expect(lost.seen(['a', 'b'])).toEqual(['a', 'b']);
});

test('a worker that renews its row again is not lost', () => {
  const lost = new LostWorkers();
  lost.seen(['a']);
  lost.seen(['a']);
  lost.seen([]);
  expect(lost.seen(['a'])).toEqual([]);
});

test('a database outage, after which all rows have expired, restarts the count', () => {
  const lost = new LostWorkers();
  lost.seen(['a']);
  lost.seen(['a']);
  lost.reset();
  expect(lost.seen(['a'])).toEqual([]);
});
