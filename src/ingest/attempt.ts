import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Deps } from './deps.ts';
import type { GapReport, Progress } from './summary.ts';

/**
 * One attempt of a reader's activity: its heartbeats, its reports, and its end. Heartbeat details are for display in
 * the UI; nothing is resumed from them.
 */
export class Attempt {
  readonly reader: 'stream' | 'settle';
  readonly signal: AbortSignal;
  readonly #context: Context;
  readonly #deps: Deps;
  #progress: Progress;
  #gaps: GapReport[] | undefined;
  readonly #asked: AbortSignal | undefined;

  constructor(deps: Deps, reader: 'stream' | 'settle') {
    this.#context = Context.current();
    this.#deps = deps;
    this.reader = reader;
    this.#asked = deps.askedToEnd?.(this.#context.info);
    this.signal = AbortSignal.any([this.#context.cancellationSignal, ...(this.#asked ? [this.#asked] : [])]);
    this.#progress = { reader, at: this.#nowIso(), state: 'connecting' };
  }

  /** Whether the previous attempt failed or was lost. */
  get isRetry(): boolean {
    return this.#context.info.attempt > 1;
  }

  get lastError(): string | undefined {
    return this.#progress.error;
  }

  /** Sends a heartbeat and a report with the current state. */
  beat(
    change: Partial<Omit<Progress, 'reader' | 'at' | 'error'>> & { error?: string | undefined } = {},
  ): void {
    const { error, ...rest } = { error: this.#progress.error, ...change };
    const { error: _former, ...kept } = this.#progress;
    this.#progress = { ...kept, ...rest, at: this.#nowIso(), ...(error === undefined ? {} : { error }) };
    this.#context.heartbeat(this.#progress);
    // Gaps found before there is a state to report wait for it.
    const gaps = this.#progress.state === 'connecting' ? undefined : this.#gaps;
    const { workflowExecution } = this.#context.info;
    if (!workflowExecution) return;
    const isSent = this.#deps.report(workflowExecution, {
      ...this.#progress,
      ...(gaps === undefined ? {} : { gaps }),
    });
    if (isSent && gaps !== undefined) this.#gaps = undefined;
  }

  /** Reports gaps as soon as there is a state to report; they are not part of the heartbeat. */
  tellGaps(gaps: GapReport[]): void {
    this.#gaps = gaps;
    this.beat();
  }

  /** Waits for a promise that has its own deadline, and sends heartbeats meanwhile. */
  async waitFor<Result>(work: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => this.beat(), this.#deps.config.clock.realMs(5_000));
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** Waits `ms` by the trail's clock and sends heartbeats; ends early, without an error, when the signal aborts. */
  async idle(ms: number, signal: AbortSignal = this.signal): Promise<void> {
    const { clock } = this.#deps.config;
    const untilMs = clock.elapsed() + ms;
    while (!signal.aborted && clock.elapsed() < untilMs) {
      this.beat();
      await clock.sleep(Math.min(5_000, untilMs - clock.elapsed()), signal).catch(() => undefined);
    }
  }

  /**
   * Whether the workflow asked the attempt to end (for a new window or a new history), as opposed to a worker shutdown.
   */
  get wasAskedToEnd(): boolean {
    if (this.#asked?.aborted === true) return true;
    const details = this.#context.cancellationDetails;
    return details?.cancelRequested === true && !details.workerShutdown && !details.timedOut;
  }

  /** The error to throw when the attempt was interrupted; Temporal then starts the next one. */
  interrupted(): CancelledFailure {
    const reason: unknown = this.signal.reason;
    return reason instanceof CancelledFailure ? reason : new CancelledFailure('the attempt was interrupted');
  }

  #nowIso(): string {
    return new Date(this.#deps.config.clock.now()).toISOString();
  }
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
