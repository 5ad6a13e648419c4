import {
  isDatabaseFailure,
  type DatabaseFailure,
  type DatabaseFailureKind,
} from '../trail/database/database-failure.ts';
import type { Clock } from '../time/clock.ts';

/** Failures of single statements, mostly writes. The health check itself finds missing tables. */
const ofStatements: ReadonlySet<DatabaseFailureKind> = new Set([
  'read_only',
  'full',
  'no_permission',
  'unexpected',
]);
/** The readers retry a failed write within half a minute, and the next attempt of an activity within another half minute. */
const recentMs = 2 * 60_000;

/**
 * What this worker cannot do with a database that responds: a health check only reads, which works on a standby, on a
 * full disk, and with a role that may not write.
 */
export class DatabaseTrouble {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #last: { failure: DatabaseFailure; atMs: number } | undefined;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** Notes the error with which a transaction ended. */
  note(error: unknown): void {
    if (isDatabaseFailure(error) && ofStatements.has(error.kind))
      this.#last = { failure: error, atMs: this.#clock.elapsed() };
  }

  /** The newest such failure of the last two minutes. */
  get recent(): DatabaseFailure | undefined {
    return this.#last && this.#clock.elapsed() - this.#last.atMs < recentMs ? this.#last.failure : undefined;
  }
}
