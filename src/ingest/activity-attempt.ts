import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Deps } from './deps.ts';

/** One attempt of a long activity: how it waits, and how it ends. */
export abstract class ActivityAttempt {
  readonly signal: AbortSignal;
  protected readonly context: Context;
  readonly #clock: Deps['config']['clock'];
  readonly #endingSignal: AbortSignal | undefined;
  readonly #startsAtMs: number;

  constructor({
    config,
    endingSignal,
    readersStart,
  }: Pick<Deps, 'config' | 'endingSignal' | 'readersStart'>) {
    this.context = Context.current();
    this.#clock = config.clock;
    this.#startsAtMs = readersStart?.atMs ?? 0;
    this.#endingSignal = endingSignal?.(this.context.info);
    this.signal = AbortSignal.any([
      this.context.cancellationSignal,
      ...(this.#endingSignal ? [this.#endingSignal] : []),
    ]);
  }

  /** Milliseconds until `Deps.readersStart`; 0 once it has passed. */
  get startsInMs(): number {
    return Math.max(0, this.#startsAtMs - this.#clock.elapsed());
  }

  /** Sends a heartbeat with the current progress. */
  abstract beat(): void;

  /** Waits for a promise that has its own deadline, sending heartbeats. */
  async waitFor<Result>(work: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => this.beat(), this.#clock.realMs(5_000));
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** Waits `ms` by the trail's clock and sends heartbeats; ends early, without an error, when the signal aborts. */
  async idle(ms: number, signal: AbortSignal = this.signal): Promise<void> {
    const untilMs = this.#clock.elapsed() + ms;
    while (!signal.aborted && this.#clock.elapsed() < untilMs) {
      this.beat();
      await this.#clock
        .sleep(Math.min(5_000, untilMs - this.#clock.elapsed()), signal)
        .catch(() => undefined);
    }
  }

  /**
   * Whether the workflow requested the attempt to end (for a new window or a new history), as opposed to a worker shutdown.
   */
  get isEndRequested(): boolean {
    if (this.#endingSignal?.aborted === true) return true;
    const details = this.context.cancellationDetails;
    return details?.cancelRequested === true && !details.workerShutdown && !details.timedOut;
  }

  /** The error to throw when the attempt was interrupted; Temporal then starts the next one. */
  interrupted(): CancelledFailure {
    const reason: unknown = this.signal.reason;
    return reason instanceof CancelledFailure ? reason : new CancelledFailure('the attempt was interrupted');
  }
}
