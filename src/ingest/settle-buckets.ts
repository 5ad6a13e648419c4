import { memoryLimits } from '../config/memory-limits.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../goldmane/failure.ts';
import { recordTrouble } from '../trail/trouble.ts';
import { readLedger, readRefusedBefore } from '../trail/ledger.ts';
import { isDatabaseFailure, type DatabaseFailure } from '../trail/database-failure.ts';
import { decidedAgeSeconds, dueBuckets, oldestAskedSeconds, type DueBucket } from '../trail/due.ts';
import type { ListedBucket } from '../trail/fold-list.ts';
import { merge } from '../trail/merge.ts';
import { bucketSeconds } from '../time/bucket.ts';
import type { BucketBatch } from '../trail/record.ts';
import { adoptCountedElsewhere } from './adopt-counted-elsewhere.ts';
import { Attempt, iso } from './attempt.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { Deps } from './deps.ts';
import { emptySettleSummary } from './empty-summary.ts';
import { CoverageRecorder } from './coverage-recorder.ts';
import { ServerClockProbe } from './server-clock-probe.ts';
import { BucketLister } from './bucket-lister.ts';
import { ListingLog, skippedCause } from './listing-log.ts';
import { RejectedBuckets } from './rejected-buckets.ts';
import type { SettleSummary, WindowInput } from './summary.ts';

const tickMs = 60_000;
const listTimeoutPauseMs = 90_000;
const maxFailuresInARow = 3;
const bucketsPerMerge = 8;
const restartCause =
  'Goldmane restarted and lost its buffer: these buckets may contain only the flows that nodes sent again';
const emptyCause =
  'Goldmane returned no records, and no older bucket proved that its buffer still went back that far';

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
  readonly #gaps: CoverageRecorder;
  readonly #clock: ServerClockProbe;
  readonly #finalAsked = new Set<number>();
  #hasAdopted = false;
  readonly #unusable: RejectedBuckets;
  /** Listed and waiting to be merged. */
  #carried: { due: DueBucket; answer: ListedBucket } | undefined;

  constructor(deps: Deps, windowMs: number) {
    this.#deps = deps;
    this.#attempt = new Attempt(deps, 'settle');
    this.#endsAtMs = deps.config.clock.elapsed() + windowMs;
    this.#summary = emptySettleSummary(new Date(deps.config.clock.now()).toISOString());
    this.#listings = new ListingLog(deps, this.#attempt);
    this.#lister = new BucketLister(deps, this.#attempt, this.#summary, this.#listings);
    this.#unusable = new RejectedBuckets(deps.log);
    this.#gaps = new CoverageRecorder(deps, this.#attempt, this.#summary);
    this.#clock = new ServerClockProbe(deps, this.#attempt, this.#lister);
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
          const { unfit } = this.#unusable;
          if (this.#attempt.lastError !== undefined && unfit === undefined) log.info('settling continues');
          this.#attempt.beat({ state: unfit === undefined ? 'connected' : 'failing', error: unfit });
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
    this.#carried = undefined;
    await this.#listings.giveUpAll();
    this.#summary.lastError = error.message;
    this.#attempt.beat({ state: 'failing', error: error.message });
    log.warn({ kind: error.kind, failures, reason: error.message }, 'settling failed; retrying');
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
    if (isKnown) await this.#gaps.decide(this.#nowSeconds());
    if (!(await this.#clock.learn())) {
      await this.#lister.connect();
      return false;
    }
    const nowSeconds = this.#nowSeconds();
    if (!isKnown) await this.#gaps.decide(nowSeconds);
    const ledger = await this.#attempt.waitFor(readLedger(query, nowSeconds - decidedAgeSeconds));
    await this.#lister.prepare(ledger);
    const refusedBefore = await this.#attempt.waitFor(readRefusedBefore(query));
    const due = dueBuckets(ledger, nowSeconds, this.#finalAsked, refusedBefore);
    this.#summary.bucketsWaiting = due.length;
    if (due.length === 0) {
      // Connect even if nothing is due, to detect that Goldmane is unreachable.
      await this.#lister.connect();
      await this.#showProgress(due);
      this.#roundSucceeded();
      return false;
    }
    this.#unusable.beginRound();
    const nonEmpty = ledger.filter(({ hasRecords }) => hasRecords).map(({ startSeconds }) => startSeconds);
    const waiting = due.toSorted((a, b) => this.#suspicion(a) - this.#suspicion(b));
    while (
      waiting.length > 0 &&
      !this.#attempt.signal.aborted &&
      this.#deps.config.clock.elapsed() < this.#endsAtMs
    ) {
      await this.#settleSome(waiting, nonEmpty);
      this.#summary.bucketsWaiting = waiting.length;
      await this.#showProgress(waiting);
    }
    await this.#lister.save();
    await this.#gaps.endTrouble(this.#nowSeconds());
    if (this.#unusable.unfit === undefined) this.#roundSucceeded();
    else this.#deps.heartbeat.failed(this.#unusable.unfitKind);
    return waiting.length > 0;
  }

  #roundSucceeded(): void {
    const { metrics, heartbeat, config } = this.#deps;
    metrics.settlingRound(config.clock.now() / 1000);
    heartbeat.succeeded();
  }

  /** Lists the next few buckets and merges them in one transaction. */
  async #settleSome(waiting: DueBucket[], nonEmpty: number[]): Promise<void> {
    const listed: { due: DueBucket; answer: ListedBucket }[] = [];
    const batches: BucketBatch[] = [];
    let records = 0;
    while (
      listed.length < bucketsPerMerge &&
      records < memoryLimits.recordsPerMerge &&
      !this.#attempt.signal.aborted
    ) {
      const due = waiting.shift();
      if (!due) break;
      // It may have left the ring while it waited.
      if (due.startSeconds + oldestAskedSeconds < this.#nowSeconds()) continue;
      if (this.#listings.isSkipped(due.startSeconds)) {
        batches.push(this.#skip(due));
        continue;
      }
      const isSuspect = this.#listings.isSuspect(due.startSeconds);
      if (isSuspect && listed.length > 0) {
        waiting.unshift(due);
        break;
      }
      const answer =
        this.#takeCarried(due) ??
        (await this.#unusable.listOrSetAside(due, (start) => this.#lister.list(start)));
      if (answer === 'later' || 'gapCause' in answer) await this.#listings.giveUp(due.startSeconds);
      if (answer === 'later') continue;
      if ('gapCause' in answer) {
        if (due.stage === 'final') this.#finalAsked.add(due.startSeconds);
        batches.push({ startSeconds: due.startSeconds, records: [], gapCause: answer.gapCause });
        continue;
      }
      // A large bucket is merged alone, after the others.
      if (listed.length > 0 && records + answer.records.length > memoryLimits.recordsPerMerge) {
        waiting.unshift(due);
        this.#carried = { due, answer };
        break;
      }
      this.#summary.records += answer.count;
      records += answer.records.length;
      listed.push({ due, answer });
      if (answer.count > 0) nonEmpty.push(due.startSeconds);
      if (isSuspect) break;
    }
    if (this.#unusable.unfit !== undefined) this.#summary.lastError = this.#unusable.unfit;
    const empty = listed.filter(({ answer }) => answer.count === 0).map(({ due }) => due.startSeconds);
    const provedFrom = await this.#lister.proveEmpty(empty, nonEmpty);
    batches.push(...listed.map(({ due, answer }) => this.#toBatch(due, answer, provedFrom)));
    if (batches.length === 0) return;
    const summary = await this.#attempt.waitFor(
      merge(this.#deps.database, batches, {
        portCap: this.#deps.config.portCap,
        nowSeconds: this.#deps.config.clock.now() / 1000,
        maxFacts: memoryLimits.factsPerBucket,
      }),
    );
    await this.#listings.merged(listed.map(({ due }) => due.startSeconds));
    for (const { due } of listed) if (due.stage === 'final') this.#finalAsked.add(due.startSeconds);
    this.#deps.metrics.merged('settle', summary);
    if (summary.coarseFacts > 0)
      this.#deps.log.warn(
        { buckets: listed.map(({ due }) => iso(due.startSeconds)), facts: summary.coarseFacts },
        'facts of a very large bucket are stored without their port or policy trace',
      );
    if (summary.collidedRecords > 0) {
      this.#deps.metrics.incomplete(summary.collidedRecords);
      this.#deps.log.warn(
        { records: summary.collidedRecords },
        'records with the same hash were not counted',
      );
    }
    this.#summary.lateRecords += summary.foundBySettling;
    this.#summary.factRecords += summary.newFactRecords;
    this.#summary.newFacts += summary.newFacts;
    this.#summary.newEdges += summary.newEdges.length;
    for (const { srcNs, dstNs, action } of summary.newEdges)
      if (this.#summary.newEdgeNames.length < 20)
        this.#summary.newEdgeNames.push(`${srcNs} -> ${dstNs} (${action})`);
    for (const stage of ['settled', 'final'] as const) {
      const count = batches.filter(({ settled }) => settled === stage).length;
      if (count > 0) this.#deps.metrics.settled(stage, count);
      if (stage === 'final') this.#summary.bucketsFinal += count;
      else this.#summary.bucketsSettled += count;
    }
  }

  #takeCarried({ startSeconds }: DueBucket): ListedBucket | undefined {
    const carried = this.#carried;
    if (carried?.due.startSeconds !== startSeconds) return undefined;
    this.#carried = undefined;
    return carried.answer;
  }

  #suspicion({ startSeconds }: DueBucket): number {
    return this.#listings.isSuspect(startSeconds) ? 1 : 0;
  }

  #skip({ startSeconds, stage }: DueBucket): BucketBatch {
    if (stage === 'final') this.#finalAsked.add(startSeconds);
    this.#deps.log.warn({ bucket: iso(startSeconds), cause: skippedCause }, 'skipping a bucket');
    this.#summary.lastError = skippedCause;
    return { startSeconds, records: [], gapCause: skippedCause };
  }

  #toBatch(due: DueBucket, answer: ListedBucket, provedFrom: number): BucketBatch {
    const { startSeconds, stage } = due;
    const { records } = answer;
    if (startSeconds < this.#lister.runFirstSeenSeconds)
      return { startSeconds, records, gapCause: restartCause };
    const isEmpty = answer.count === 0;
    if (isEmpty && startSeconds < provedFrom) return { startSeconds, records: [], gapCause: emptyCause };
    if (isEmpty) this.#summary.emptyBuckets += 1;
    const refusedRecords = answer.refused + records.cut;
    if (refusedRecords > 0) this.#deps.metrics.incomplete(refusedRecords);
    return { startSeconds, records, settled: stage, refusedRecords };
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
