import { isGoldmaneFailure, listTimeoutPauseMs, type GoldmaneFailure } from '../goldmane/failure.ts';
import { recordTrouble } from '../trail/coverage-ranges/trouble.ts';
import { readLedger, readRefusedBefore } from '../trail/merge/ledger.ts';
import { isDatabaseFailure, type DatabaseFailure } from '../trail/database/database-failure.ts';
import { decidedAgeSeconds, dueBuckets, type DueBucket } from '../trail/coverage-ranges/due-buckets.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { iso } from '../time/iso.ts';
import { adoptCountedElsewhere } from './adopt-counted-elsewhere.ts';
import { Attempt } from './attempt.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { Deps } from './deps.ts';
import { emptySettleSummary } from './empty-summary.ts';
import { CoverageRecorder } from './coverage-recorder.ts';
import { ServerClockProbe } from './server-clock-probe.ts';
import { BucketLister } from './bucket-lister.ts';
import { BucketSettler } from './bucket-settler.ts';
import { ListingLog } from './listing-log.ts';
import { RejectedBuckets } from './rejected-buckets.ts';
import type { SettleSummary, WindowInput } from './summary.ts';

const tickMs = 60_000;
const maxFailuresInARow = 3;

/** Lists each bucket that no longer changes and merges it exactly once, for one window (invariants 1, 2 and 4):
 * oldest first, one List at a time, paced. After an outage, there are simply more buckets to list.
 */
export async function settleBuckets(deps: Deps, { windowMs }: WindowInput): Promise<SettleSummary> {
  return new SettleWindow(deps, windowMs).run();
}

class SettleWindow {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  /** Elapsed milliseconds. */
  readonly #endsAtMs: number;
  readonly #summary: SettleSummary;
  readonly #listings: ListingLog;
  readonly #lister: BucketLister;
  readonly #coverage: CoverageRecorder;
  readonly #clock: ServerClockProbe;
  #hasAdopted = false;
  readonly #rejected: RejectedBuckets;
  readonly #settler: BucketSettler;

  constructor(deps: Deps, windowMs: number) {
    this.#deps = deps;
    this.#attempt = new Attempt(deps, 'settle');
    this.#endsAtMs = deps.config.clock.elapsed() + windowMs;
    this.#summary = emptySettleSummary(new Date(deps.config.clock.now()).toISOString());
    this.#listings = new ListingLog(deps, this.#attempt);
    this.#lister = new BucketLister(deps, this.#attempt, this.#summary, this.#listings);
    this.#rejected = new RejectedBuckets(deps.log);
    this.#coverage = new CoverageRecorder(deps, this.#attempt, this.#summary);
    this.#clock = new ServerClockProbe(deps, this.#attempt, this.#lister);
    this.#settler = new BucketSettler(deps, {
      attempt: this.#attempt,
      summary: this.#summary,
      listings: this.#listings,
      lister: this.#lister,
      rejected: this.#rejected,
    });
  }

  async run(): Promise<SettleSummary> {
    const { log } = this.#deps;
    const { signal } = this.#attempt;
    let failures = 0;
    try {
      await this.#attempt.waitForStart();
      while (!signal.aborted && this.#deps.config.clock.elapsed() < this.#endsAtMs) {
        try {
          const isBehind = await this.#tick();
          failures = 0;
          const { rejection } = this.#rejected;
          if (this.#attempt.lastError !== undefined && rejection === undefined)
            log.info('Settling continues');
          this.#attempt.beat({ state: rejection === undefined ? 'connected' : 'failing', error: rejection });
          const leftMs = this.#endsAtMs - this.#deps.config.clock.elapsed();
          if (!isBehind) await this.#attempt.idle(Math.min(tickMs, leftMs));
        } catch (error) {
          if (signal.aborted) break;
          const isKnown = isGoldmaneFailure(error) || isDatabaseFailure(error);
          if (!isKnown) throw error;
          failures += 1;
          await this.#fail(error, failures);
        }
      }
    } catch (error) {
      throw toActivityFailure(error);
    } finally {
      this.#lister.disconnect();
      await this.#listings.giveUpAll();
    }
    if (signal.aborted && !this.#attempt.isEndRequested) throw this.#attempt.interrupted();
    this.#summary.ended = signal.aborted ? 'cancelled' : 'window';
    this.#summary.to = new Date(this.#deps.config.clock.now()).toISOString();
    return this.#summary;
  }

  async #fail(error: GoldmaneFailure | DatabaseFailure, failures: number): Promise<void> {
    const { log, database, metrics, heartbeat } = this.#deps;
    this.#lister.disconnect();
    this.#settler.drop();
    await this.#listings.giveUpAll();
    this.#summary.lastError = error.message;
    this.#attempt.beat({ state: 'failing', error: error.message });
    log.warn({ kind: error.kind, failures, reason: error.message }, 'Settling failed; retrying');
    heartbeat.failed(`${error.system}_${error.kind}`);
    if (isGoldmaneFailure(error)) metrics.reconnect('settle', error.kind);
    if (!isDatabaseFailure(error))
      await this.#attempt
        .waitFor(recordTrouble(database.query, error.message, this.#nowSeconds()))
        .catch(() => undefined);
    // Goldmane continues to process an abandoned call and serves no other call until it ends.
    if (isGoldmaneFailure(error) && error.kind === 'timeout') await this.#attempt.idle(listTimeoutPauseMs);
    if (failures >= maxFailuresInARow) throw error;
    await this.#attempt.idle(1_000 * 2 ** failures * (0.5 + Math.random()));
  }

  /** One round over the due buckets. @returns whether more are already due */
  async #tick(): Promise<boolean> {
    const { database } = this.#deps;
    const { query } = database;
    await this.#listings.load();
    if (!this.#hasAdopted) await this.#attempt.waitFor(adoptCountedElsewhere(this.#deps));
    this.#hasAdopted = true;
    // Learning the clock may need Goldmane, and a gap grows and is reported while Goldmane is unreachable.
    const { isKnown } = this.#deps.serverClock;
    if (isKnown) await this.#coverage.decide(this.#nowSeconds());
    if (!(await this.#clock.learn())) {
      await this.#lister.connect();
      return false;
    }
    const nowSeconds = this.#nowSeconds();
    if (!isKnown) await this.#coverage.decide(nowSeconds);
    const ledger = await this.#attempt.waitFor(readLedger(query, nowSeconds - decidedAgeSeconds));
    await this.#lister.prepare(ledger);
    const refusedBefore = await this.#attempt.waitFor(readRefusedBefore(query));
    const due = dueBuckets(ledger, nowSeconds, this.#settler.finalAsked, refusedBefore);
    this.#summary.bucketsWaiting = due.length;
    if (due.length === 0) {
      // Connect even if nothing is due, to detect that Goldmane is unreachable.
      await this.#lister.connect();
      await this.#showProgress(due);
      this.#roundSucceeded();
      return false;
    }
    this.#rejected.beginRound();
    const nonEmpty = ledger.filter(({ hasRecords }) => hasRecords).map(({ startSeconds }) => startSeconds);
    const waiting = this.#settler.inOrder(due);
    while (
      waiting.length > 0 &&
      !this.#attempt.signal.aborted &&
      this.#deps.config.clock.elapsed() < this.#endsAtMs
    ) {
      await this.#settler.settleSome(waiting, nonEmpty);
      this.#summary.bucketsWaiting = waiting.length;
      await this.#showProgress(waiting);
    }
    await this.#lister.save();
    await this.#coverage.endTrouble(this.#nowSeconds());
    if (this.#rejected.rejection === undefined) this.#roundSucceeded();
    else this.#deps.heartbeat.failed(this.#rejected.rejectionKind);
    return waiting.length > 0;
  }

  #roundSucceeded(): void {
    const { metrics, heartbeat, config } = this.#deps;
    metrics.settlingRound(config.clock.now() / 1000);
    heartbeat.succeeded();
  }

  async #showProgress(waiting: readonly DueBucket[]): Promise<void> {
    const { database, metrics } = this.#deps;
    const toSettle = waiting.filter(({ stage }) => stage === 'settled').map((due) => due.startSeconds);
    const settledUpTo =
      toSettle.length > 0
        ? Math.min(...toSettle)
        : Math.floor((this.#nowSeconds() - 6 * 60) / bucketSeconds) * bucketSeconds;
    this.#summary.settledUpTo = iso(settledUpTo);
    metrics.settledUpTo(settledUpTo);
    this.#attempt.beat({
      settledUpTo: iso(settledUpTo),
      records: this.#summary.records,
      newEdges: this.#summary.newEdges,
    });
    const [rows] = await this.#attempt.waitFor(
      database.query<{ edges: number; facts: number }>(
        'select (select count(*) from edge)::int as edges, (select count(*) from flow_fact)::int as facts',
      ),
    );
    if (!rows) return;
    metrics.rows(rows);
    this.#attempt.beat({ edges: rows.edges });
  }

  #nowSeconds(): number {
    return this.#deps.serverClock.nowMs() / 1000;
  }
}
