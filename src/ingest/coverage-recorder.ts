import { recordTrouble } from '../trail/trouble.ts';
import { readGaps, type CoverageStretch } from '../trail/coverage.ts';
import { decideCoverage } from '../trail/decide-coverage.ts';
import { expireLedger } from '../trail/ledger.ts';
import { decidedAgeSeconds, oldestAskedSeconds } from '../trail/due.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { iso, type Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';
import type { GapReport, SettleSummary } from './summary.ts';

const shownGaps = 20;
/** A gap that grows is told of again after so much more of it. */
const growthSeconds = 5 * 60;
const awayCause =
  "not read before Goldmane's one-hour buffer expired: the worker, Temporal or the database was away";

/** Writes down what has left the ring, and says which of it is a gap (invariant 4). */
export class CoverageRecorder {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #summary: SettleSummary;
  #told = '';

  constructor(deps: Deps, attempt: Attempt, summary: SettleSummary) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#summary = summary;
  }

  /** Also forgets hashes that cannot be needed any more. @throws DatabaseFailure */
  async decide(nowSeconds: number): Promise<void> {
    const { database, config } = this.#deps;
    this.#report(
      await this.#attempt.waitFor(
        decideCoverage(database, bucketBefore(nowSeconds - decidedAgeSeconds), awayCause),
      ),
    );
    await this.#tell();
    const keepSeconds = config.jobs.retention.ledgerHours * 3_600;
    await this.#attempt.waitFor(expireLedger(database, keepSeconds));
  }

  /**
   * Goldmane answers again. What became too old to be asked for while it did not is decided at once, by the name of the
   * trouble, which is forgotten then. @throws DatabaseFailure
   */
  async endTrouble(nowSeconds: number): Promise<void> {
    const { database } = this.#deps;
    // The first bucket that is still asked for; the one before it may have been passed over just now.
    const until = Math.ceil((nowSeconds - oldestAskedSeconds) / bucketSeconds) * bucketSeconds;
    this.#report(
      await this.#attempt.waitFor(decideCoverage(database, until, awayCause, { onlyInTrouble: true })),
    );
    await this.#attempt.waitFor(recordTrouble(database.query, undefined, nowSeconds));
  }

  #report(found: readonly CoverageStretch[]): void {
    const { log, metrics } = this.#deps;
    for (const { fromSeconds, toSeconds, state, cause = awayCause, refusedRecords } of found) {
      if (state === 'incomplete') {
        log.warn(
          { from: iso(fromSeconds), to: iso(toSeconds), refusedRecords },
          'incomplete time: records of it were refused',
        );
        continue;
      }
      const gap = { from: iso(fromSeconds), to: iso(toSeconds), cause };
      metrics.gap((toSeconds - fromSeconds) / bucketSeconds);
      this.#note(gap);
      log.warn(gap, 'a gap: nothing is known of this time');
    }
  }

  /** For the summary: a gap that goes on is one gap. */
  #note(gap: GapReport): void {
    const { gaps } = this.#summary;
    const last = gaps.at(-1);
    if (last && last.to === gap.from && last.cause === gap.cause) last.to = gap.to;
    else if (gaps.length < 50) gaps.push(gap);
  }

  /** For the status, which has to know of them even if this attempt fails and leaves no summary. */
  async #tell(): Promise<void> {
    const gaps = await this.#attempt.waitFor(readGaps(this.#deps.database.query, shownGaps));
    const newest = gaps.at(-1);
    if (!newest) return;
    const text = `${newest.fromSeconds} ${newest.cause} ${Math.floor(newest.toSeconds / growthSeconds)}`;
    if (text === this.#told) return;
    this.#told = text;
    this.#attempt.tellGaps(
      gaps.map(({ fromSeconds, toSeconds, cause = awayCause }) => ({
        from: iso(fromSeconds),
        to: iso(toSeconds),
        cause,
      })),
    );
  }
}

function bucketBefore(seconds: number): number {
  return Math.floor(seconds / bucketSeconds) * bucketSeconds;
}
