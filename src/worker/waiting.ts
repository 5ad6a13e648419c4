import type { Logger } from 'pino';
import { errorText } from '../failure/thrown.ts';
import { linkSignals } from '../time/link-signals.ts';

export interface Waiting {
  log: Logger;
  signal: AbortSignal;
  /** Called with the reason of each failure. */
  waiting: (reason: string) => void;
}

/**
 * Repeats `work` until it succeeds, with a backoff of up to 15 s; logs the reason when it changes. Each attempt has a signal of its
 * own, because Temporal's client leaves a listener on it for each call.
 * @throws the signal's reason when it aborts
 */
export async function untilItWorks<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { log, signal, waiting }: Waiting,
): Promise<Result> {
  let logged = '';
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    const attempt = linkSignals([signal]);
    try {
      return await work(attempt.signal);
    } catch (error) {
      const reason = errorText(error);
      waiting(reason);
      if (reason !== logged) log.warn({ reason }, 'Waiting for a dependency; retrying');
      logged = reason;
      await pause(Math.min(15_000, 500 * 2 ** failures), signal);
    } finally {
      attempt.unlink();
    }
  }
}

/** Waits; ends early, without an error, when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
