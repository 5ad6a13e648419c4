import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { GoldmaneFailure } from '../goldmane/failure.ts';
import { DatabaseFailure } from '../trail/database-failure.ts';
import type { Deps } from './deps.ts';
import type { GapReport, KnownState, Progress } from './summary.ts';

/** In a window of 15 minutes it is told once between two summaries: each time costs four events of history. */
const reportEveryMs = 10 * 60_000;

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
  /** What the supervisor knows; undefined when it may know nothing. */
  #told: KnownState | undefined;
  #hasConnected = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param known what the supervisor knows from the window before */
  constructor(deps: Deps, reader: 'stream' | 'settle', known?: KnownState) {
    this.#context = Context.current();
    this.#deps = deps;
    this.reader = reader;
    this.signal = this.#context.cancellationSignal;
    this.#progress = { reader, at: this.#nowIso(), state: 'connecting' };
    // A new window of a supervisor that knows nothing yet has its beginning to tell.
    if (this.#context.info.attempt === 1 && known?.state === undefined) return;
    // Trying again is no news; the supervisor goes on showing why the attempt before failed.
    this.#told = this.#context.info.attempt === 1 ? known : { state: 'connecting' };
    this.#toldAtMs = deps.config.clock.elapsed();
  }

  /** Whether the attempt before this one failed, or was lost. */
  get isRetry(): boolean {
    return this.#context.info.attempt > 1;
  }

  get lastError(): string | undefined {
    return this.#progress.error;
  }

  /** Beats, with what is known now; tells the supervisor when the state changed, else every ten minutes. */
  beat(
    change: Partial<Omit<Progress, 'reader' | 'at' | 'error'>> & { error?: string | undefined } = {},
  ): void {
    const { error, ...rest } = { error: this.#progress.error, ...change };
    const { error: _former, ...kept } = this.#progress;
    this.#progress = { ...kept, ...rest, at: this.#nowIso(), ...(error === undefined ? {} : { error }) };
    this.#context.heartbeat(this.#progress);
    const nowMs = this.#deps.config.clock.elapsed();
    if (this.#progress.state === 'connected') this.#hasConnected = true;
    const hasGaps = this.#gaps !== undefined && this.#progress.state !== 'connecting';
    if (!this.#isNews() && !hasGaps && nowMs < this.#toldAtMs + reportEveryMs) return;
    this.#told = knownFrom(this.#progress);
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

  /** Whether the state changed; that something is known for the first time is a change, and a new window is none. */
  #isNews(): boolean {
    const told = this.#told;
    const { state, error, newestBucket, settledUpTo, edges } = this.#progress;
    if (!told) return true;
    if (state === 'connecting' && !this.#hasConnected) return false;
    return (
      state !== told.state ||
      error !== told.error ||
      (newestBucket !== undefined && told.newestBucket !== true) ||
      (settledUpTo !== undefined && told.settledUpTo !== true) ||
      (edges !== undefined && told.edges !== true)
    );
  }

  #nowIso(): string {
    return new Date(this.#deps.config.clock.now()).toISOString();
  }
}

function knownFrom({ state, error, newestBucket, settledUpTo, edges }: Progress): KnownState {
  return {
    state,
    ...(error === undefined ? {} : { error }),
    newestBucket: newestBucket !== undefined,
    settledUpTo: settledUpTo !== undefined,
    edges: edges !== undefined,
  };
}

/** A failure as the UI shows it: its type is the cause, its message says what cures it; always retried. */
export function toActivityFailure(error: unknown): Error {
  if (error instanceof GoldmaneFailure)
    return ApplicationFailure.create({
      type: `goldmane_${error.kind}`,
      message: error.message,
      nonRetryable: false,
    });
  if (error instanceof DatabaseFailure)
    return ApplicationFailure.create({
      type: `database_${error.kind}`,
      message: error.message,
      nonRetryable: false,
    });
  if (error instanceof Error) return error;
  return new Error(String(error));
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
