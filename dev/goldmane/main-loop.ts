import type { Clock } from '../../src/time/clock.ts';

/** A source of work for the main loop. */
export interface Source {
  ready(): boolean;
  /** Runs one turn; the loop does nothing else until it ends. */
  run(): void | Promise<void>;
}

/**
 * Goldmane's single main loop: flows, the rollover, every `List` and every stream's history take turns, and all others
 * wait for the current one. If several are ready, the next one is chosen at random, as in Go.
 */
export class MainLoop {
  readonly #sources: readonly Source[];
  readonly #holds: number[] = [];
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  #wakeUp: (() => void) | undefined;
  #working = false;

  constructor(clock: Clock, sources: readonly Source[]) {
    this.#clock = clock;
    this.#sources = [
      ...sources,
      {
        ready: () => this.#holds.length > 0,
        run: () => this.#clock.sleep(this.#holds.shift() ?? 0, this.#stopped.signal),
      },
    ];
  }

  /** In the middle of a long turn: held, or waiting for a reader. */
  get working(): boolean {
    return this.#working || this.#holds.length > 0;
  }

  /** Keeps the loop busy for this long, from its next turn on. */
  hold(ms: number): void {
    this.#holds.push(ms);
    this.wake();
  }

  /** A source has become ready. */
  wake(): void {
    this.#wakeUp?.();
  }

  stop(): void {
    this.#stopped.abort();
    this.wake();
  }

  /** Resolves after `stop`. */
  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      // A hold takes the next turn, before all other sources.
      const due = this.#sources.filter((source) => source.ready());
      const source = this.#holds.length > 0 ? due.at(-1) : due[Math.floor(Math.random() * due.length)];
      if (!source) {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve;
        });
        continue;
      }
      this.#working = true;
      try {
        await source.run();
      } catch (error) {
        if (!this.#stopped.signal.aborted) throw error;
      } finally {
        this.#working = false;
      }
      // Lets sockets run; a Go server has other threads for them.
      await new Promise(setImmediate);
    }
  }
}
