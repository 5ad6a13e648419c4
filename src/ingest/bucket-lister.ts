import { memoryLimits } from '../config/memory-limits.ts';
import { FlowDecoder } from '../goldmane/decoder/decode.ts';
import type { GoldmaneConnection } from '../goldmane/connection.ts';
import { isGoldmaneFailure, isInvalidListResponse } from '../goldmane/failure.ts';
import { readInSteps } from '../goldmane/list-response.ts';
import type { LedgerBucket } from '../trail/merge/ledger.ts';
import { oldestAskedSeconds } from '../trail/coverage-ranges/due-buckets.ts';
import { foldList, type ListedBucket } from '../trail/fold/fold-list.ts';
import { loadServerRun, saveServerRun, ServerRuns } from '../trail/coverage-ranges/server-run.ts';
import { iso } from '../time/iso.ts';
import type { Attempt } from './attempt.ts';
import { connect } from './connect.ts';
import { describeMalformed } from './malformed.ts';
import type { Deps } from './deps.ts';
import type { ListingLog } from './listing-log.ts';
import type { SettleSummary } from './summary.ts';

/**
 * Lists one bucket at a time, paced, and tracks which server run responds (invariants 2 and 11).
 * @throws GoldmaneFailure, DatabaseFailure
 */
export class BucketLister {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #summary: SettleSummary;
  readonly #listings: ListingLog;
  readonly #decoder = new FlowDecoder(memoryLimits);
  readonly #runs = new ServerRuns();
  #connection: GoldmaneConnection | undefined;
  /** Elapsed milliseconds; Goldmane's clock may become known later. */
  #connectedAtMs = 0;
  /** Buckets settled with records, by any run. */
  #settled: readonly number[] = [];
  /** Buckets for which the known run returned records in this window, in call order. */
  readonly #answered = new Set<number>();
  #isRunLoaded = false;

  constructor(deps: Deps, attempt: Attempt, summary: SettleSummary, listings: ListingLog) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#summary = summary;
    this.#listings = listings;
  }

  /** Buckets that began before this cannot be settled by the current run. */
  get runFirstSeenSeconds(): number {
    return this.#runs.firstSeenSeconds;
  }

  /** Loads the known run of the server. Call it before the first `list`, and again when the ledger has grown. */
  async prepare(ledger: readonly LedgerBucket[]): Promise<void> {
    this.#settled = ledger
      .filter(
        ({ state, hasRecords }) =>
          hasRecords && (state === 'settled' || state === 'final' || state === 'incomplete'),
      )
      .map(({ startSeconds }) => startSeconds);
    if (this.#isRunLoaded) return;
    await this.#attempt.waitFor(loadServerRun(this.#deps.database.query, this.#runs));
    this.#isRunLoaded = true;
  }

  /** Stores the run for the next window or worker. */
  async save(): Promise<void> {
    await this.#attempt.waitFor(saveServerRun(this.#deps.database.query, this.#runs));
  }

  async connect(): Promise<GoldmaneConnection> {
    if (this.#connection) return this.#connection;
    this.#attempt.beat({ state: this.#attempt.lastError === undefined ? 'connecting' : 'failing' });
    this.#runs.doubt();
    this.#connection = await connect(this.#deps, this.#attempt, this.#attempt.signal);
    this.#connectedAtMs = this.#deps.config.clock.elapsed();
    const connectedSince = new Date(this.#deps.config.clock.now()).toISOString();
    this.#attempt.beat({ state: 'connected', connectedSince, error: undefined });
    return this.#connection;
  }

  /** Goldmane's clock in seconds; undefined if this server does not report it. */
  async askClock(): Promise<number | undefined> {
    const connection = await this.connect();
    return this.#attempt.waitFor(connection.askClock(this.#attempt.signal));
  }

  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#deps.metrics.connected('settle', false);
  }

  /**
   * Lists one bucket and determines which server run responded. The caller must report to the listing log whether the
   * bucket was merged or dropped, even if this throws.
   */
  async list(startSeconds: number): Promise<ListedBucket> {
    const runs = this.#runs;
    const answer = await this.#ask(startSeconds);
    const isSuspect = runs.suspects(answer.ids);
    const isOther = isSuspect && ((await this.#isOtherRun()) ?? runs.differs(answer.ids));
    // A connection does not survive a restart of the server, so this run existed when the connection was opened.
    if (isOther) {
      runs.begin(this.#nowSeconds() - (this.#deps.config.clock.elapsed() - this.#connectedAtMs) / 1000);
      this.#answered.clear();
    } else if (isSuspect) runs.trust();
    runs.remember(answer.ids);
    this.#answered.delete(startSeconds);
    if (answer.ids.size > 0) this.#answered.add(startSeconds);
    if (isOther) {
      this.#summary.serverRestarts += 1;
      this.#deps.log.warn({ firstSeen: iso(runs.firstSeenSeconds) }, 'Goldmane restarted');
      await this.save();
    }
    return answer;
  }

  /** An empty response proves that a bucket is empty only if an older bucket returns records afterwards; otherwise,
   * the bucket may have left the ring,
   * or the server may have restarted. An older non-empty bucket proves all empty ones
   * after it, so the bucket before the newest empty one is listed first, then older ones while they return records.
   * @param empty buckets whose last response was empty
   * @param nonEmpty buckets known to have records
   * @returns the first bucket whose empty response is proved, like all later ones; Infinity if there is none
   */
  async proveEmpty(empty: readonly number[], nonEmpty: readonly number[]): Promise<number> {
    const oldestAskable = this.#nowSeconds() - oldestAskedSeconds;
    const candidates = nonEmpty.filter((start) => start >= oldestAskable).toSorted((a, b) => a - b);
    let provedFrom = Number.POSITIVE_INFINITY;
    for (const start of empty.toSorted((a, b) => b - a)) {
      if (start > provedFrom) continue;
      while ((candidates.at(-1) ?? 0) >= start) candidates.pop();
      let answered: boolean | undefined;
      let witness: number | undefined;
      while (answered === undefined && (witness = candidates.pop()) !== undefined)
        answered = await this.#isNonEmpty(witness);
      if (witness === undefined || answered !== true) break;
      provedFrom = witness;
    }
    return provedFrom;
  }

  /** Whether the bucket has records, from any run; false for a suspect bucket, which is not listed. */
  async holdsRecords(startSeconds: number): Promise<boolean> {
    if (this.#listings.isSuspect(startSeconds)) return false;
    return (await this.#peek(() => this.#ask(startSeconds), startSeconds)).count > 0;
  }

  /** Lists without merging the response. */
  async #peek(list: () => Promise<ListedBucket>, startSeconds: number): Promise<ListedBucket> {
    try {
      return await list();
    } finally {
      await this.#listings.giveUp(startSeconds);
    }
  }

  /** Lists one bucket, from any run. */
  async #ask(startSeconds: number): Promise<ListedBucket> {
    const { metrics, log } = this.#deps;
    const connection = await this.connect();
    await this.#listings.begin(startSeconds);
    const { answer, seconds } = await this.#listAndFold(connection, startSeconds);
    this.#summary.lists += 1;
    this.#summary.listSeconds = Math.round((this.#summary.listSeconds + seconds) * 1000) / 1000;
    metrics.listed(answer.count, { noTraffic: answer.noTraffic, malformed: answer.refused }, seconds);
    const { leftOut } = this.#summary;
    if (answer.noTraffic > 0) leftOut['no_traffic'] = (leftOut['no_traffic'] ?? 0) + answer.noTraffic;
    if (answer.refused > 0) {
      leftOut['malformed'] = (leftOut['malformed'] ?? 0) + answer.refused;
      log.warn(
        { bucket: iso(startSeconds), ...describeMalformed(answer.malformed), records: answer.refused },
        'Malformed records were skipped',
      );
    }
    if (answer.records.cut > 0)
      log.warn(
        { bucket: iso(startSeconds), records: answer.records.cut, limit: memoryLimits.factsPerBucket },
        'Facts were dropped: the bucket has more distinct facts than fit in memory',
      );
    // Goldmane serves calls in its single main loop: wait as long as the call took, so that other clients are served.
    await this.#attempt.idle(Math.max(20, seconds * 1000));
    return answer;
  }

  /** Only this function holds a reference to the raw response, so its memory is freed once it is folded. */
  async #listAndFold(
    connection: GoldmaneConnection,
    startSeconds: number,
  ): Promise<{ answer: ListedBucket; seconds: number }> {
    const startedAt = performance.now();
    const raw = await this.#attempt.waitFor(connection.list(startSeconds, this.#attempt.signal));
    const seconds = (performance.now() - startedAt) / 1000;
    return { answer: await this.#fold(raw, startSeconds), seconds };
  }

  #fold(raw: Buffer, startSeconds: number): Promise<ListedBucket> {
    const steps = foldList(this.#decoder, raw, startSeconds, {
      ...this.#deps.config.identity,
      maxRecords: memoryLimits.recordsPerBucket,
      maxGroups: memoryLimits.factsPerBucket,
      maxTraceBytes: memoryLimits.traceBytesPerBucket,
      isKnown: (content) => this.#runs.isKnown(content),
    });
    return readInSteps(steps, startSeconds);
  }

  /** Whether the bucket has records; undefined if its response is unusable. */
  async #isNonEmpty(startSeconds: number): Promise<boolean | undefined> {
    if (this.#listings.isSuspect(startSeconds)) return undefined;
    try {
      return (await this.#peek(() => this.list(startSeconds), startSeconds)).count > 0;
    } catch (error) {
      if (isInvalidListResponse(error)) return undefined;
      if (isGoldmaneFailure(error) && error.kind === 'response_too_large') return true;
      throw error;
    }
  }

  /**
   * Lists again a bucket for which the known run returned records: if its keys now have different ids, a new run is responding.
   * @returns undefined if the bucket no longer exists or none of its records is known
   */
  async #isOtherRun(): Promise<boolean | undefined> {
    const oldest = this.#nowSeconds() - oldestAskedSeconds;
    const ofThisRun = Math.max(oldest, this.#runs.firstSeenSeconds);
    const witness =
      [...this.#answered].findLast((start) => start >= oldest) ??
      this.#settled.findLast((start) => start >= ofThisRun && !this.#listings.isSuspect(start));
    if (witness === undefined) return undefined;
    const { ids } = await this.#peek(() => this.#ask(witness), witness);
    if (ids.size === 0) return true;
    return this.#runs.knows(ids) ? this.#runs.differs(ids) : undefined;
  }

  #nowSeconds(): number {
    return this.#deps.serverClock.nowMs() / 1000;
  }
}
