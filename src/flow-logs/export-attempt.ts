import { ActivityAttempt } from '../ingest/activity-attempt.ts';
import type { ExportDeps } from './deps.ts';
import type { ExportHeartbeat } from './summary.ts';

/** One attempt of the export's activity. Nothing is resumed from its heartbeat: Postgres stores which records were sent. */
export class ExportAttempt extends ActivityAttempt {
  readonly #clock: ExportDeps['config']['clock'];
  #shown: ExportHeartbeat;

  constructor(deps: ExportDeps) {
    super(deps);
    this.#clock = deps.config.clock;
    this.#shown = { at: this.#nowIso() };
  }

  beat(change: Omit<Partial<ExportHeartbeat>, 'at' | 'error'> & { error?: string | undefined } = {}): void {
    const { error, ...rest } = { error: this.#shown.error, ...change };
    const { error: _former, ...kept } = this.#shown;
    this.#shown = { ...kept, ...rest, at: this.#nowIso(), ...(error === undefined ? {} : { error }) };
    this.context.heartbeat(this.#shown);
  }

  #nowIso(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}
