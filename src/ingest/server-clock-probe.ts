import { recordTroubleUnlessNoted } from '../trail/trouble.ts';
import { bucketSeconds } from '../time/bucket.ts';
import type { Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';

const streamShowsItMs = 50_000;
const askAgainMs = 10 * 60_000;
const aheadSeconds = 10 * 60;
/** Goldmane's ring, and a bit. */
const behindSeconds = 65 * 60;
/** Nodes flush every 15 s: what is newest belongs to the bucket that fills, or to the one before. */
const nearMs = 2 * bucketSeconds * 1000;
const silentCause =
  'Goldmane held no record from which its clock could be told: it had none, or the clock of this worker, or its own, was wrong';

/**
 * Makes sure that Goldmane's clock is known before a bucket's age is judged by it: from the stream of this process, which is
 * waited for; and where it shows nothing, by asking for the newest bucket that holds anything. What another worker measured
 * is of no use: it was the difference to that machine's clock.
 */
export class ServerClockProbe {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #isNonEmpty: (startSeconds: number) => Promise<boolean>;
  #hasWaited = false;
  #askAgainAtMs = Number.NEGATIVE_INFINITY;

  /** @param isNonEmpty lists one bucket */
  constructor(deps: Deps, attempt: Attempt, isNonEmpty: (startSeconds: number) => Promise<boolean>) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#isNonEmpty = isNonEmpty;
  }

  /**
   * Asks at most every ten minutes. Where the newest bucket is an old one, Goldmane's clock shows its end at least: what is
   * judged by that is judged late, but not wrongly; the stream, or asking again, shows more.
   * @returns whether Goldmane's clock is known
   */
  async learn(): Promise<boolean> {
    const { serverClock, config } = this.#deps;
    const { clock } = config;
    if (!serverClock.isKnown) await this.#waitForStream();
    const isSure = serverClock.isKnown && !serverClock.isAtLeast;
    if (isSure || this.#attempt.signal.aborted || clock.elapsed() < this.#askAgainAtMs)
      return serverClock.isKnown;
    const newest = await this.#findNewest();
    this.#askAgainAtMs = clock.elapsed() + askAgainMs;
    if (newest !== undefined) this.#take(newest);
    else if (!serverClock.isKnown) await this.#noteSilence();
    return serverClock.isKnown;
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
      // The stream may show it meanwhile.
      if (serverClock.measured || this.#attempt.signal.aborted) return undefined;
      if (await this.#isNonEmpty(start)) return start;
    }
    return undefined;
  }

  #take(newest: number): void {
    const { serverClock, config, log } = this.#deps;
    const shownMs = (newest + bucketSeconds) * 1000;
    const skewMs = shownMs - config.clock.now();
    const isNear = Math.abs(skewMs) <= nearMs;
    serverClock.assume(isNear ? config.clock.now() : shownMs, { isAtLeast: !isNear });
    log.info({ skewMs }, "no stream shows Goldmane's clock; it was found by asking for its newest bucket");
  }

  async #noteSilence(): Promise<void> {
    const { database, config, log } = this.#deps;
    log.warn(
      'nothing is settled: neither the stream nor the buckets of the last hour hold a record that shows what time it is for Goldmane; the cluster is silent, or correct the clock of this node, or of Goldmane',
    );
    await this.#attempt.waitFor(
      recordTroubleUnlessNoted(database.query, silentCause, config.clock.now() / 1000),
    );
  }
}
