import { recordTrouble } from '../trail/coverage-ranges/trouble.ts';
import { readGaps, type CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import { decideCoverage } from '../trail/coverage-ranges/decide-coverage.ts';
import { expireLedger } from '../trail/merge/ledger.ts';
import { decidedAgeSeconds, oldestAskedSeconds } from '../trail/coverage-ranges/due-buckets.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { iso } from '../time/iso.ts';
import type { Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';
import type { GapReport, SettleSummary } from './summary.ts';

const shownGaps = 20;
/** A growing gap is reported again each time it grows by this much. */
const growthSeconds = 5 * 60;
const awayCause =
  "not read before Goldmane's one-hour buffer expired: the worker, Temporal or the database was unavailable";

/** Stores the coverage of time that has left the ring, and reports gaps (invariant 4). */
export class CoverageRecorder {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #summary: SettleSummary;
  #reported = '';

  constructor(deps: Deps, attempt: Attempt, summary: SettleSummary) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#summary = summary;
  }

  /** Also deletes hashes that are no longer needed. @throws DatabaseFailure */
  async decide(nowSeconds: number): Promise<void> {
    const { database, config } = this.#deps;
    this.#report(
      await this.#attempt.waitFor(
        decideCoverage(database, bucketBefore(nowSeconds - decidedAgeSeconds), awayCause),
      ),
    );
    await this.#reportGaps();
    const keepSeconds = config.jobs.retention.ledgerHours * 3_600;
    await this.#attempt.waitFor(expireLedger(database, keepSeconds));
  }

  /**
   * Call this when Goldmane responds again. Buckets that have become too old in the meantime are decided at once, with
   * the recorded problem as their cause; then it is cleared.
   * @throws DatabaseFailure
   */
  async endTrouble(nowSeconds: number): Promise<void> {
    const { database } = this.#deps;
    // The first bucket that is still listed; the one before it may just have been skipped.
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
          'Incomplete time: some records were rejected',
        );
        continue;
      }
      const gap = { from: iso(fromSeconds), to: iso(toSeconds), cause };
      metrics.gap((toSeconds - fromSeconds) / bucketSeconds);
      this.#note(gap);
      log.warn(gap, 'Gap: this time was not observed');
    }
  }

  /** For the summary, which counts a continued gap once. */
  #note(gap: GapReport): void {
    const { gaps } = this.#summary;
    const last = gaps.at(-1);
    if (last && last.to === gap.from && last.cause === gap.cause) last.to = gap.to;
    else if (gaps.length < 50) gaps.push(gap);
  }

  /** For the status, which shows gaps even if this attempt fails without a summary. */
  async #reportGaps(): Promise<void> {
    const gaps = await this.#attempt.waitFor(readGaps(this.#deps.database.query, shownGaps));
    const newest = gaps.at(-1);
    if (!newest) return;
    const text = `${newest.fromSeconds} ${newest.cause} ${Math.floor(newest.toSeconds / growthSeconds)}`;
    if (text === this.#reported) return;
    this.#reported = text;
    this.#attempt.reportGaps(
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
