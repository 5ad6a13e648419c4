import type { Clock } from '../../src/time/clock.ts';

const TICK_MS = 5;
/** A later tick counts only this much: the machine was busy with something else. */
const MAX_TICK_MS = 15;

/**
 * A fast clock for a server, its clients and the test in one process. It follows the progress of the process: while the
 * machine is busy with other work, the clock waits. So anything a test does within a second of this clock takes at most
 * that second on every machine.
 */
export class LoopClock implements Clock {
  readonly #speed: number;
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>();
  readonly #timer: NodeJS.Timeout;
  #nowMs = Date.now();
  #tickedMs = performance.now();

  /** @param speed how many times as fast as real time it runs on an idle machine */
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

  /** On an idle machine; on a busy one it takes longer. */
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
