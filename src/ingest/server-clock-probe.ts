import { recordTroubleUnlessNoted } from '../trail/coverage-ranges/trouble.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { iso } from '../time/iso.ts';
import type { Attempt } from './attempt.ts';
import type { BucketLister } from './bucket-lister.ts';
import type { Deps } from './deps.ts';

const streamShowsItMs = 50_000;
const askAgainMs = 10 * 60_000;
const aheadSeconds = 10 * 60;
/** Slightly longer than Goldmane's ring. */
const behindSeconds = 65 * 60;
/** Nodes flush every 15 s, so the newest record belongs to the bucket being filled or the one before. */
const nearMs = 2 * bucketSeconds * 1000;
const silentCause =
  'Goldmane returned no record that shows its clock: it had no records, or its clock or the clock of this worker was wrong';

/**
 * Determines Goldmane's clock before any bucket's age is computed from it. While this process's stream does not show the
 * clock, for example because the cluster is quiet, it requests the time from Goldmane. If the response does not
 * contain it, it waits for the stream,
 * then lists buckets until it finds the newest one with records. Another worker's measurement is
 * unusable, because it is relative to that machine's clock.
 */
export class ServerClockProbe {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #lister: Pick<BucketLister, 'askClock' | 'holdsRecords'>;
  #hasWaited = false;
  #askAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps, attempt: Attempt, lister: Pick<BucketLister, 'askClock' | 'holdsRecords'>) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#lister = lister;
  }

  /**
   * Requests the time or lists buckets at most every ten minutes.
   * @returns whether Goldmane's clock is known
   * @throws GoldmaneFailure, DatabaseFailure
   */
  async learn(): Promise<boolean> {
    const { serverClock, config } = this.#deps;
    const { clock } = config;
    if (serverClock.measured || this.#attempt.signal.aborted || clock.elapsed() < this.#askAgainAtMs)
      return serverClock.isKnown;
    if (!(await this.#ask())) await this.#search();
    this.#askAgainAtMs = clock.elapsed() + askAgainMs;
    return serverClock.isKnown;
  }

  /** @returns whether Goldmane reported its clock */
  async #ask(): Promise<boolean> {
    const { serverClock, config, log } = this.#deps;
    const shownSeconds = await this.#lister.askClock();
    if (shownSeconds === undefined) return false;
    const isNew = !serverClock.isKnown || serverClock.isAtLeast;
    serverClock.assume(shownSeconds * 1000);
    const skewMs = Math.round(shownSeconds * 1000 - config.clock.now());
    if (isNew)
      log.info({ skewMs }, "Read Goldmane's clock with a request, because the stream has not shown it yet");
    return true;
  }

  /** If the newest bucket is old, its end is a lower bound of Goldmane's clock: ages are then underestimated, so
   * buckets are settled late but not wrongly, until the stream or the next search gives a better value.
   */
  async #search(): Promise<void> {
    const { serverClock } = this.#deps;
    if (!serverClock.isKnown) await this.#waitForStream();
    const isSure = serverClock.isKnown && !serverClock.isAtLeast;
    if (isSure || this.#attempt.signal.aborted) return;
    const newest = await this.#findNewest();
    if (newest !== undefined) this.#take(newest);
    else if (!serverClock.isKnown) await this.#noteSilence();
  }

  async #waitForStream(): Promise<void> {
    const { serverClock, config } = this.#deps;
    if (this.#hasWaited) return;
    this.#hasWaited = true;
    const untilMs = config.clock.elapsed() + streamShowsItMs;
    while (!serverClock.isKnown && config.clock.elapsed() < untilMs && !this.#attempt.signal.aborted)
      await this.#attempt.idle(1_000);
  }

  async #findNewest(): Promise<number | undefined> {
    const { serverClock, config } = this.#deps;
    const nowSeconds = config.clock.now() / 1000;
    const leastSeconds = serverClock.isKnown ? serverClock.nowMs() / 1000 : undefined;
    const from = Math.max(nowSeconds, leastSeconds ?? nowSeconds) + aheadSeconds;
    const to = leastSeconds ?? nowSeconds - behindSeconds;
    for (let start = Math.floor(from / bucketSeconds) * bucketSeconds; start > to; start -= bucketSeconds) {
      // The stream may have shown the clock in the meantime.
      if (serverClock.measured || this.#attempt.signal.aborted) return undefined;
      if (await this.#lister.holdsRecords(start)) return start;
    }
    return undefined;
  }

  #take(newest: number): void {
    const { serverClock, config, log } = this.#deps;
    const shownMs = (newest + bucketSeconds) * 1000;
    const skewMs = shownMs - config.clock.now();
    const isNear = Math.abs(skewMs) <= nearMs;
    serverClock.assume(isNear ? config.clock.now() : shownMs, { isAtLeast: !isNear });
    if (isNear)
      log.info(
        { skewMs },
        "The stream does not show Goldmane's clock; it was determined from the newest bucket",
      );
    else
      log.info(
        { newestBucket: iso(newest) },
        "Goldmane's clock is only known to be past its newest bucket; buckets are settled later than usual until the stream shows the clock",
      );
  }

  async #noteSilence(): Promise<void> {
    const { database, config, log } = this.#deps;
    log.warn(
      "No bucket can be settled: neither the stream nor the records of the last hour show Goldmane's clock; unless the cluster is idle, correct the clock of this node or of Goldmane's node",
    );
    await this.#attempt.waitFor(
      recordTroubleUnlessNoted(database.query, silentCause, config.clock.now() / 1000),
    );
  }
}
