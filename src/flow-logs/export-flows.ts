import { isFailure, type Failure } from '../failure/failure.ts';
import { isGoldmaneFailure, listTimeoutPauseMs } from '../goldmane/failure.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { iso } from '../time/iso.ts';
import { isCatchingUp } from '../trail/coverage-ranges/catching-up.ts';
import { isDatabaseFailure } from '../trail/database/database-failure.ts';
import { readExportBuckets } from '../trail/export/export-marks.ts';
import { noteExportActive } from '../trail/export/export-state.ts';
import { BucketExporter } from './bucket-exporter.ts';
import { BucketSource } from './bucket-source.ts';
import type { ExportDeps } from './deps.ts';
import { ExportAttempt } from './export-attempt.ts';
import { ExportTrouble } from './export-trouble.ts';
import { isReceiverFailure } from './failure.ts';
import { Receiver } from './receiver.ts';
import { reportGaps } from './report-gaps.ts';
import type { ExportInput, ExportSummary } from './summary.ts';

const pollMs = 15_000;
const longestBackoffMs = 60_000;
/** Between two buckets while the trail catches up. */
const yieldMs = 60_000;

/**
 * Sends the records of settled buckets to the receiver, for one window: oldest first, one bucket in memory at a time. It
 * lists each bucket again, because the trail stores neither names nor counters. The readers never wait for the export;
 * the export slows down while they catch up. A failure of Goldmane, the database or the receiver does not end the window: a new
 * attempt would be billed and would fail in the same way.
 */
export async function exportFlows(deps: ExportDeps, { windowMs }: ExportInput): Promise<ExportSummary> {
  return new ExportWindow(deps, windowMs).run();
}

class ExportWindow {
  readonly #deps: ExportDeps;
  readonly #attempt: ExportAttempt;
  readonly #endsAtMs: number;
  readonly #receiver: Receiver;
  readonly #source: BucketSource;
  readonly #summary: ExportSummary;
  readonly #trouble: ExportTrouble;
  readonly #exporter: BucketExporter;
  /** When the last bucket was exported, or the window began. */
  #lastBucketAtMs: number;

  constructor(deps: ExportDeps, windowMs: number) {
    this.#deps = deps;
    const { config, settings } = deps;
    this.#attempt = new ExportAttempt(deps);
    this.#lastBucketAtMs = config.clock.elapsed();
    this.#endsAtMs = this.#lastBucketAtMs + windowMs;
    this.#receiver = new Receiver(settings);
    this.#source = new BucketSource(deps, this.#attempt);
    const from = new Date(config.clock.now()).toISOString();
    this.#summary = { from, to: from, ended: 'window', buckets: 0, records: 0, rejected: 0, gaps: 0 };
    this.#trouble = new ExportTrouble(deps, this.#attempt, this.#summary);
    this.#exporter = new BucketExporter(deps, {
      attempt: this.#attempt,
      source: this.#source,
      receiver: this.#receiver,
      trouble: this.#trouble,
      summary: this.#summary,
    });
  }

  async run(): Promise<ExportSummary> {
    const { clock } = this.#deps.config;
    const { signal } = this.#attempt;
    let failures = 0;
    try {
      await this.#attempt.idle(this.#attempt.startsInMs);
      while (!signal.aborted && clock.elapsed() < this.#endsAtMs) {
        try {
          await this.#round();
          failures = 0;
          if (!this.#exporter.setAside.isAnyWaiting(clock.elapsed())) this.#trouble.recovered();
          await this.#attempt.idle(Math.min(pollMs, this.#endsAtMs - clock.elapsed()));
        } catch (error) {
          if (signal.aborted) break;
          if (!isFailure(error)) throw error;
          failures += 1;
          await this.#fail(error, failures);
        }
      }
    } catch (error) {
      throw toActivityFailure(error);
    } finally {
      this.#source.disconnect();
      this.#receiver.close();
    }
    if (signal.aborted && !this.#attempt.isEndRequested) throw this.#attempt.interrupted();
    this.#summary.ended = signal.aborted ? 'cancelled' : 'window';
    this.#summary.to = new Date(clock.now()).toISOString();
    return this.#summary;
  }

  /** Exports all buckets that are settled now. */
  async #round(): Promise<void> {
    const { database, config } = this.#deps;
    await this.#reportGaps();
    await noteExportActive(database.query, this.#receiver.name, this.#nowSeconds());
    const buckets = await readExportBuckets(database.query);
    this.#exporter.setAside.keep(new Set(buckets.map(({ startSeconds }) => startSeconds)));
    for (const bucket of buckets) {
      if (this.#attempt.signal.aborted || config.clock.elapsed() >= this.#endsAtMs) return;
      if (this.#exporter.setAside.isWaiting(bucket.startSeconds, config.clock.elapsed())) continue;
      if (await this.#yields()) return;
      this.#attempt.beat({ bucket: iso(bucket.startSeconds), waiting: buckets.length });
      await this.#exporter.export(bucket);
    }
  }

  /**
   * While the trail catches up, at most one bucket per minute is exported, because the export competes with settling
   * for Goldmane and the processor.
   */
  async #yields(): Promise<boolean> {
    const nowMs = this.#deps.config.clock.elapsed();
    if (
      nowMs - this.#lastBucketAtMs < yieldMs &&
      (await isCatchingUp(this.#deps.database.query, this.#nowSeconds()))
    )
      return true;
    this.#lastBucketAtMs = nowMs;
    return false;
  }

  async #fail(error: Failure, failures: number): Promise<void> {
    if (!isReceiverFailure(error)) this.#source.disconnect();
    await this.#trouble.note(error);
    const backoffMs = Math.min(longestBackoffMs, 1_000 * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
    const asked = isReceiverFailure(error) ? error.retryAfterMs : undefined;
    const isListTimeout = isGoldmaneFailure(error) && error.kind === 'timeout';
    await this.#wait(Math.max(backoffMs, asked ?? 0, isListTimeout ? listTimeoutPauseMs : 0));
  }

  /** Waits, and continues to determine gaps, so that they are reported while the receiver is unavailable. */
  async #wait(ms: number): Promise<void> {
    const { clock } = this.#deps.config;
    const untilMs = Math.min(clock.elapsed() + ms, this.#endsAtMs);
    while (!this.#attempt.signal.aborted && clock.elapsed() < untilMs) {
      await this.#attempt.idle(Math.min(pollMs, untilMs - clock.elapsed()));
      await this.#reportGaps().catch((error: unknown) => {
        if (!isDatabaseFailure(error)) throw error;
      });
    }
  }

  #reportGaps(): Promise<void> {
    return reportGaps(this.#deps, { summary: this.#summary, signal: this.#attempt.signal });
  }

  #nowSeconds(): number {
    return this.#deps.config.clock.now() / 1_000;
  }
}
