import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Deps } from './deps.ts';
import type { GapReport, Progress } from './summary.ts';

const reportEveryMs = 5 * 60_000;

/**
 * One attempt of a reader's activity: its heartbeat, what it tells the supervisor, and how it ends.
 * The details of a heartbeat are for display in the UI; nothing is resumed from them.
 */
export class Attempt {
  readonly reader: 'stream' | 'settle';
  readonly signal: AbortSignal;
  readonly #context: Context;
  readonly #deps: Deps;
  #progress: Progress;
  #gaps: GapReport[] | undefined;
  #told = '';
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps, reader: 'stream' | 'settle') {
    this.#context = Context.current();
    this.#deps = deps;
    this.reader = reader;
    this.signal = this.#context.cancellationSignal;
    this.#progress = { reader, at: this.#nowIso(), state: 'connecting' };
    // Trying again is no news; the supervisor goes on showing why the attempt before failed.
    if (this.#context.info.attempt === 1) return;
    this.#told = stateText(this.#progress);
    this.#toldAtMs = deps.config.clock.elapsed();
  }

  /** Whether the attempt before this one failed, or was lost. */
  get isRetry(): boolean {
    return this.#context.info.attempt > 1;
  }

  get lastError(): string | undefined {
    return this.#progress.error;
  }

  /** Beats, with what is known now; tells the supervisor when the state changed, else every five minutes. */
  beat(
    change: Partial<Omit<Progress, 'reader' | 'at' | 'error'>> & { error?: string | undefined } = {},
  ): void {
    const { error, ...rest } = { error: this.#progress.error, ...change };
    const { error: _former, ...kept } = this.#progress;
    this.#progress = { ...kept, ...rest, at: this.#nowIso(), ...(error === undefined ? {} : { error }) };
    this.#context.heartbeat(this.#progress);
    const state = stateText(this.#progress);
    const nowMs = this.#deps.config.clock.elapsed();
    const hasNews = this.#gaps !== undefined && this.#progress.state !== 'connecting';
    if (state === this.#told && !hasNews && nowMs < this.#toldAtMs + reportEveryMs) return;
    this.#told = state;
    this.#toldAtMs = nowMs;
    const progress = this.#gaps === undefined ? this.#progress : { ...this.#progress, gaps: this.#gaps };
    this.#gaps = undefined;
    const { workflowExecution } = this.#context.info;
    if (workflowExecution) void this.#deps.report(workflowExecution.workflowId, progress);
  }

  /** Tells the supervisor of gaps as soon as there is a state to tell; they are no part of the heartbeat. */
  tellGaps(gaps: GapReport[]): void {
    this.#gaps = gaps;
    this.beat();
  }

  /** Waits for something that has a deadline of its own, beating meanwhile. */
  async waitFor<Result>(work: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => this.beat(), this.#deps.config.clock.realMs(5_000));
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** Idles for `ms` of the trail's clock, beating; ends early, without an error, when the signal aborts. */
  async idle(ms: number, signal: AbortSignal = this.signal): Promise<void> {
    const { clock } = this.#deps.config;
    const untilMs = clock.elapsed() + ms;
    while (!signal.aborted && clock.elapsed() < untilMs) {
      this.beat();
      await clock.sleep(Math.min(5_000, untilMs - clock.elapsed()), signal).catch(() => undefined);
    }
  }

  /** Whether the workflow asked the attempt to end (a fresh window, a new history), rather than the worker going down. */
  get wasAskedToEnd(): boolean {
    const details = this.#context.cancellationDetails;
    return details?.cancelRequested === true && !details.workerShutdown && !details.timedOut;
  }

  /** What to throw when the attempt was interrupted: Temporal starts the next one. */
  interrupted(): CancelledFailure {
    const reason: unknown = this.signal.reason;
    return reason instanceof CancelledFailure ? reason : new CancelledFailure('the attempt was interrupted');
  }

  #nowIso(): string {
    return new Date(this.#deps.config.clock.now()).toISOString();
  }
}

/** What counts as a change of state; that something is known for the first time is one. */
function stateText({ state, error, newestBucket, settledUpTo, edges }: Progress): string {
  const known = [newestBucket, settledUpTo, edges].map((value) => value !== undefined);
  return `${state} ${known.join()} ${error ?? ''}`;
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
