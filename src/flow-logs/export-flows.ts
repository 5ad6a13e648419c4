import { memoryLimits } from '../config/memory-limits.ts';
import { isFailure, type Failure } from '../failure/failure.ts';
import { isGoldmaneFailure } from '../goldmane/failure.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { isDatabaseFailure } from '../trail/database-failure.ts';
import { isCatchingUp } from '../trail/catching-up.ts';
import {
  beginLargeTry,
  endLargeTry,
  giveUpExport,
  readExportBuckets,
  readExportMarks,
  writeExportMarks,
  type ExportBucket,
  type ExportMarks,
} from '../trail/export-marks.ts';
import { noteExportActive, noteExportSent, noteExportTrouble } from '../trail/export-state.ts';
import { hashesMissingIn } from '../trail/sorted-hashes.ts';
import { Delivery } from './delivery.ts';
import type { ExportDeps } from './deps.ts';
import { BucketExport } from './bucket-export.ts';
import { BucketSource } from './bucket-source.ts';
import { ExportAttempt } from './export-attempt.ts';
import { iso } from '../time/iso.ts';
import { isReceiverFailure } from './failure.ts';
import type { LogContext } from './log-record.ts';
import { Receiver } from './receiver.ts';
import { reportGaps } from './report-gaps.ts';
import { makeResource } from './resource.ts';
import { SetAside } from './set-aside.ts';
import type { ExportInput, ExportSummary } from './summary.ts';

const pollMs = 15_000;
const longestBackoffMs = 60_000;
/** Between two buckets while the trail catches up. */
const yieldMs = 60_000;
/** Goldmane continues an abandoned call and serves no other call until it ends. */
const listTimeoutPauseMs = 90_000;
/** A receiver that has accepted records within this time does not reject everything. */
const recentlyMs = 15 * 60_000;
/** A very large bucket is given up after this many processes ended while exporting it. */
const maxLargeTries = 3;
const givenUpLarge =
  'three workers died while exporting this very large bucket, most likely because they ran out of memory; give the worker more memory';

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
  readonly #context: LogContext;
  readonly #summary: ExportSummary;
  #acceptedAtMs = Number.NEGATIVE_INFINITY;
  /** When the last bucket was exported, or the window began. */
  #lastBucketAtMs: number;
  readonly #setAside = new SetAside();
  #logged = '';
  #warning = '';

  constructor(deps: ExportDeps, windowMs: number) {
    this.#deps = deps;
    const { config, settings } = deps;
    this.#attempt = new ExportAttempt(deps);
    this.#lastBucketAtMs = config.clock.elapsed();
    this.#endsAtMs = this.#lastBucketAtMs + windowMs;
    this.#receiver = new Receiver(settings);
    this.#context = { ...makeResource(config.clusterName, deps.trailId), labels: settings.labels };
    this.#source = new BucketSource(deps, this.#attempt);
    const from = new Date(config.clock.now()).toISOString();
    this.#summary = { from, to: from, ended: 'window', buckets: 0, records: 0, rejected: 0, gaps: 0 };
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
          if (!this.#setAside.isAnyWaiting(clock.elapsed())) this.#recovered();
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
    this.#setAside.keep(new Set(buckets.map(({ startSeconds }) => startSeconds)));
    for (const bucket of buckets) {
      if (this.#attempt.signal.aborted || config.clock.elapsed() >= this.#endsAtMs) return;
      if (this.#setAside.isWaiting(bucket.startSeconds, config.clock.elapsed())) continue;
      if (await this.#yields()) return;
      this.#attempt.beat({ bucket: iso(bucket.startSeconds), waiting: buckets.length });
      await this.#exportOne(bucket);
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

  async #exportOne(bucket: ExportBucket): Promise<void> {
    const { startSeconds, stage, largeTries } = bucket;
    const { query } = this.#deps.database;
    const marks = await readExportMarks(query, startSeconds);
    if (!marks) return;
    if (stage === 'listed' && hashesMissingIn(marks.settled, marks.sent).length === 0) {
      await writeExportMarks(query, startSeconds, {
        sent: marks.sent,
        rejected: 0,
        isDone: true,
        isChecked: true,
      });
      return;
    }
    const isLarge = bucket.records > memoryLimits.recordsPerMerge;
    if (isLarge && largeTries >= maxLargeTries) {
      this.#deps.log.warn({ bucket: iso(startSeconds), cause: givenUpLarge }, 'Gave up exporting a bucket');
      await giveUpExport(query, startSeconds, givenUpLarge);
      return;
    }
    if (isLarge) await beginLargeTry(query, startSeconds);
    try {
      await this.#sendBucket(bucket, marks);
      this.#setAside.done(startSeconds);
    } catch (error) {
      const nowMs = this.#deps.config.clock.elapsed();
      if (isReceiverFailure(error)) this.#setAside.failed(startSeconds, nowMs);
      // If the database is unavailable, this attempt stays recorded; that matters only if three processes end during one.
      if (isLarge) await endLargeTry(query, startSeconds).catch(() => undefined);
      if (!isGoldmaneFailure(error) || !['invalid_list_response', 'response_too_large'].includes(error.kind))
        throw error;
      this.#setAside.add(startSeconds, nowMs);
      await this.#note(error);
    }
  }

  async #sendBucket(bucket: ExportBucket, marks: ExportMarks): Promise<void> {
    const { settings, metrics, config, log, database } = this.#deps;
    const answer = await this.#source.list(bucket.startSeconds, marks);
    const hasAccepted = config.clock.elapsed() - this.#acceptedAtMs < recentlyMs;
    const delivery = new Delivery(
      { receiver: this.#receiver, config: settings, metrics, signal: this.#attempt.signal },
      { hasAccepted, isSuspect: hasAccepted && this.#setAside.isSuspect(bucket.startSeconds) },
    );
    const run = new BucketExport(
      {
        database,
        delivery,
        context: this.#context,
        nowMs: () => config.clock.now(),
        beat: () => this.#attempt.beat(),
      },
      bucket,
      marks,
    );
    let missing = 0;
    try {
      missing = await run.run(answer);
      this.#summary.buckets += 1;
    } finally {
      this.#source.release();
      const { accepted, rejected, rejection, warning } = run.exported;
      this.#summary.records += accepted;
      this.#summary.rejected += rejected;
      if (accepted > 0) this.#acceptedAtMs = config.clock.elapsed();
      if (rejected > 0)
        log.warn(
          { bucket: iso(bucket.startSeconds), records: rejected, said: rejection },
          'The receiver rejected records',
        );
      if (warning !== undefined && warning !== this.#warning)
        log.warn({ said: warning }, 'The receiver accepted records with a warning');
      this.#warning = warning ?? this.#warning;
    }
    await noteExportSent(database.query, this.#nowSeconds());
    if (missing > 0)
      log.warn(
        { bucket: iso(bucket.startSeconds), records: missing },
        'Goldmane no longer has some records of a bucket that was waiting to be exported',
      );
  }

  async #fail(error: Failure, failures: number): Promise<void> {
    if (!isReceiverFailure(error)) this.#source.disconnect();
    await this.#note(error);
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

  async #note(error: Failure): Promise<void> {
    const { log, metrics, database } = this.#deps;
    const kind = `${error.system}_${error.kind}`;
    metrics.failed(kind);
    this.#summary.lastError = error.message;
    this.#attempt.beat({ error: error.message });
    if (this.#logged !== error.message)
      log.warn({ kind, reason: error.message }, 'The export is waiting; the trail is not affected');
    this.#logged = error.message;
    await noteExportTrouble(database.query, error.message, this.#nowSeconds()).catch(() => undefined);
  }

  #recovered(): void {
    this.#attempt.beat({ error: undefined });
    if (this.#logged === '') return;
    this.#logged = '';
    this.#deps.log.info('The export continues');
  }

  #nowSeconds(): number {
    return this.#deps.config.clock.now() / 1_000;
  }
}
