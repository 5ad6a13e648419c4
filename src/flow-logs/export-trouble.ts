import type { Failure } from '../failure/failure.ts';
import { noteExportTrouble } from '../trail/export/export-state.ts';
import type { ExportDeps } from './deps.ts';
import type { ExportAttempt } from './export-attempt.ts';
import type { ExportSummary } from './summary.ts';

/** Shows why the export is waiting, in all places: log, metrics, heartbeat, summary and database. */
export class ExportTrouble {
  readonly #deps: ExportDeps;
  readonly #attempt: ExportAttempt;
  readonly #summary: ExportSummary;
  #logged = '';

  constructor(deps: ExportDeps, attempt: ExportAttempt, summary: ExportSummary) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#summary = summary;
  }

  /** Logs a failure once until another one follows. */
  async note(error: Failure): Promise<void> {
    const { log, metrics, database, config } = this.#deps;
    const kind = `${error.system}_${error.kind}`;
    metrics.failed(kind);
    this.#summary.lastError = error.message;
    this.#attempt.beat({ error: error.message });
    if (this.#logged !== error.message)
      log.warn({ kind, reason: error.message }, 'The export is waiting; the trail is not affected');
    this.#logged = error.message;
    await noteExportTrouble(database.query, error.message, config.clock.now() / 1_000).catch(() => undefined);
  }

  recovered(): void {
    this.#attempt.beat({ error: undefined });
    if (this.#logged === '') return;
    this.#logged = '';
    this.#deps.log.info('The export continues');
  }
}
