import { expect, test } from 'vitest';
import { LostWorkers } from '../../../src/worker/presence.ts';

test('a worker counts as lost when its row was expired in three renewals in a row', () => {
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

test('an outage of the database, after which all rows have expired, begins the count again', () => {
  const lost = new LostWorkers();
  lost.seen(['a']);
  lost.seen(['a']);
  lost.reset();
  expect(lost.seen(['a'])).toEqual([]);
});
