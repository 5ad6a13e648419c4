import type { Clock } from '../../src/time/clock.ts';

const TICK_MS = 5;
/** The most that the clock advances per tick: if a tick is later, the machine was busy with something else. */
const MAX_TICK_MS = 15;

/**
 * A fast clock for a server, its clients and the test in one process. It advances only while the event loop runs and
 * waits while the machine is busy, so the same work takes about the same time of this clock on every machine.
 */
export class LoopClock implements Clock {
  readonly #speed: number;
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>();
  readonly #timer: NodeJS.Timeout;
  #nowMs = Date.now();
  #tickedMs = performance.now();

  /** @param speed relative to real time, on an idle machine */
  constructor(speed: number) {
    this.#speed = speed;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  now(): number {
    return this.#nowMs + Math.min(performance.now() - this.#tickedMs, MAX_TICK_MS) * this.#speed;
  }

  elapsed(): number {
    return this.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const sleeper = {
        untilMs: this.now() + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(reasonOf(signal));
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** The real time that `ms` of this clock take on an idle machine. */
  realMs(ms: number): number {
    return ms / this.#speed;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#nowMs = this.now();
    this.#tickedMs = performance.now();
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
