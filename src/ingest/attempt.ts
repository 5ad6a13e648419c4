import { ActivityAttempt } from './activity-attempt.ts';
import type { Deps } from './deps.ts';
import type { GapReport, Progress } from './summary.ts';

/**
 * One attempt of a reader's activity: its heartbeats, its reports, and its end. Heartbeat details are for display in
 * the UI; nothing is resumed from them.
 */
export class Attempt extends ActivityAttempt {
  readonly reader: 'stream' | 'settle';
  readonly #deps: Deps;
  #progress: Progress;
  #gaps: GapReport[] | undefined;

  constructor(deps: Deps, reader: 'stream' | 'settle') {
    super(deps);
    this.#deps = deps;
    this.reader = reader;
    this.#progress = { reader, at: this.#nowIso(), state: 'connecting' };
  }

  /** Whether the previous attempt failed or was lost. */
  get isRetry(): boolean {
    return this.context.info.attempt > 1;
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
    this.context.heartbeat(this.#progress);
    // Gaps found before there is a state to report wait for it.
    const gaps = this.#progress.state === 'connecting' ? undefined : this.#gaps;
    const { workflowExecution } = this.context.info;
    if (!workflowExecution) return;
    const isSent = this.#deps.report(workflowExecution, {
      ...this.#progress,
      ...(gaps === undefined ? {} : { gaps }),
    });
    if (isSent && gaps !== undefined) this.#gaps = undefined;
  }

  /** After several crashes the readers start later, so that the jobs can run and report the crashes. */
  async waitForStart(): Promise<void> {
    const { readersStart } = this.#deps;
    if (!readersStart || this.startsInMs === 0) return;
    this.beat({ state: 'failing', error: readersStart.reason });
    await this.idle(this.startsInMs);
    this.beat({ state: 'connecting', error: undefined });
  }

  /** Reports gaps as soon as there is a state to report; they are not part of the heartbeat. */
  reportGaps(gaps: GapReport[]): void {
    this.#gaps = gaps;
    this.beat();
  }

  #nowIso(): string {
    return new Date(this.#deps.config.clock.now()).toISOString();
  }
}
