import type { Logger } from 'pino';
import { errorText } from '../failure/thrown.ts';

export interface Waiting {
  log: Logger;
  signal: AbortSignal;
  /** Called with the reason of each failure. */
  waiting: (reason: string) => void;
}

/**
 * Repeats `work` until it succeeds, with a backoff of up to 15 s; logs the reason when it changes.
 * @throws the signal's reason when it aborts
 */
export async function untilItWorks<Result>(
  work: () => Promise<Result>,
  { log, signal, waiting }: Waiting,
): Promise<Result> {
  let logged = '';
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const reason = errorText(error);
      waiting(reason);
      if (reason !== logged) log.warn({ reason }, 'Waiting for a dependency; retrying');
      logged = reason;
      await pause(Math.min(15_000, 500 * 2 ** failures), signal);
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
