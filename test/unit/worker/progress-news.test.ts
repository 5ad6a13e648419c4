import { describe, expect, test } from 'vitest';
import type { Progress } from '../../../src/ingest/summary.ts';
import { ProgressNews } from '../../../src/worker/progress-news.ts';

const secondMs = 1_000;
const windowMs = 15 * 60_000;

/** Passes the reader's progress of each second to ProgressNews. @returns the seconds at which it sends */
function sentAt(
  seconds: number,
  say: (second: number) => Partial<Progress>,
  news = new ProgressNews(),
  { from = 0, runId = 'run' } = {},
): number[] {
  return Array.from({ length: seconds }, (_, index) => from + index).filter((second) =>
    news.take(runId, { reader: 'stream', at: '', state: 'connected', ...say(second) }, second * secondMs),
  );
}

/** The progress of a stream window: it connects, and the first records arrive within half a minute. */
const steady = (second: number): Partial<Progress> => {
  const inWindow = second % 900;
  if (inWindow < 2) return { state: 'connecting' };
  return inWindow < 30 ? {} : { newestBucket: String(second), edges: second };
};

describe('a working reader', () => {
  test('is reported immediately, a minute later with further details, and then once per window', () => {
    const news = new ProgressNews();
    const sent = sentAt(4 * 900, steady, news);
    expect(sent).toEqual([2, 62, 962, 1862, 2762]);
  });

  test('is not reported again in its next window, except to a new supervisor', () => {
    const news = new ProgressNews();
    sentAt(200, steady, news);
    expect(sentAt(5, () => ({ state: 'connecting' }), news, { from: 200 })).toEqual([]);
    expect(sentAt(5, () => ({ state: 'connected' }), news, { from: 205, runId: 'next' })).toEqual([205]);
  });
});

describe('a failing reader', () => {
  test('is reported immediately, and so is its recovery', () => {
    const news = new ProgressNews();
    sentAt(200, steady, news);
    const failing = () => ({ state: 'failing' as const, error: 'no answer' });
    expect(sentAt(60, failing, news, { from: 200 })).toEqual([200]);
    expect(sentAt(60, () => ({}), news, { from: 260 })[0]).toBe(260);
  });

  test('is not reported again for each attempt of an outage', () => {
    const news = new ProgressNews();
    const attempts = (second: number): Partial<Progress> =>
      second % 40 < 10 ? { state: 'connecting' } : { state: 'failing', error: 'no answer' };
    expect(sentAt(windowMs / secondMs, attempts, news)).toEqual([10]);
  });

  test('is reported at most every ten seconds if its state alternates', () => {
    const flapping = (second: number): Partial<Progress> =>
      second % 2 === 0 ? {} : { state: 'failing', error: 'reset' };
    const sent = sentAt(100, flapping);
    expect(sent.length).toBeLessThanOrEqual(10);
  });

  test('is reported when connecting takes longer than a minute', () => {
    expect(sentAt(120, () => ({ state: 'connecting' }))).toEqual([60]);
  });
});

test('a lost report is sent again', () => {
  const news = new ProgressNews();
  expect(sentAt(1, () => ({}), news)).toEqual([0]);
  news.lost('stream');
  expect(sentAt(20, () => ({}), news, { from: 1 })).toEqual([10]);
});

test('gaps are sent within a minute of the last report', () => {
  const news = new ProgressNews();
  sentAt(1, () => ({}), news);
  expect(sentAt(60, () => ({ gaps: [] }), news, { from: 1 })).toEqual([60]);
});
