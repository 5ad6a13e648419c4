import { getEventListeners } from 'node:events';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { untilItWorks } from '../../../src/worker/waiting.ts';

const log = pino({ level: 'silent' });

test('listeners that an attempt leaves on its signal do not accumulate', async () => {
  vi.useFakeTimers();
  try {
    const stopping = new AbortController();
    let attempts = 0;
    const listenersPerAttempt: number[] = [];
    const waiting = untilItWorks(
      (signal) => {
        attempts += 1;
        listenersPerAttempt.push(getEventListeners(stopping.signal, 'abort').length);
        for (let call = 0; call < 7; call += 1) signal.addEventListener('abort', () => undefined);
        return attempts < 5 ? Promise.reject(new Error('not yet')) : Promise.resolve();
      },
      { log, signal: stopping.signal, waiting: () => undefined },
    );
    await vi.advanceTimersByTimeAsync(60_000);
    await waiting;
    expect(listenersPerAttempt).toEqual([1, 1, 1, 1, 1]);
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test('aborting the signal aborts the attempt that is under way', async () => {
  const stopping = new AbortController();
  const reason = new Error('the worker stops');
  const waiting = untilItWorks(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        stopping.abort(reason);
      }),
    { log, signal: stopping.signal, waiting: () => undefined },
  );
  await expect(waiting).rejects.toBe(reason);
});
