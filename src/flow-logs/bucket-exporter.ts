import { memoryLimits } from '../config/memory-limits.ts';
import { isGoldmaneFailure } from '../goldmane/failure.ts';
import { iso } from '../time/iso.ts';
import {
  beginLargeTry,
  endLargeTry,
  giveUpExport,
  readExportMarks,
  writeExportMarks,
  type ExportBucket,
  type ExportMarks,
} from '../trail/export/export-marks.ts';
import { noteExportSent } from '../trail/export/export-state.ts';
import { hashesMissingIn } from '../trail/merge/sorted-hashes.ts';
import { BucketSender } from './bucket-sender.ts';
import type { BucketSource } from './bucket-source.ts';
import { Delivery } from './isolate-rejected.ts';
import type { ExportDeps } from './deps.ts';
import type { ExportAttempt } from './export-attempt.ts';
import type { ExportTrouble } from './export-trouble.ts';
import { isReceiverFailure } from './failure.ts';
import type { LogContext } from './log-record.ts';
import type { Receiver } from './receiver.ts';
import { makeResource } from './resource.ts';
import { SetAside } from './buckets-set-aside.ts';
import type { ExportSummary } from './summary.ts';

/** A receiver that has accepted records within this time does not reject everything. */
const recentlyMs = 15 * 60_000;
/** A very large bucket is given up after this many processes ended while exporting it. */
const maxLargeTries = 3;
const givenUpLarge =
  'three workers died while exporting this very large bucket, most likely because they ran out of memory; give the worker more memory';

interface BucketExporterParts {
  attempt: ExportAttempt;
  source: BucketSource;
  receiver: Receiver;
  trouble: ExportTrouble;
  summary: ExportSummary;
}

/**
 * Exports one bucket after the other. A bucket that the receiver or Goldmane cannot process is set aside, and a very
 * large one that ended three processes is given up.
 */
export class BucketExporter {
  readonly setAside = new SetAside();
  readonly #deps: ExportDeps;
  readonly #parts: BucketExporterParts;
  readonly #context: LogContext;
  #acceptedAtMs = Number.NEGATIVE_INFINITY;
  #warning = '';

  constructor(deps: ExportDeps, parts: BucketExporterParts) {
    this.#deps = deps;
    this.#parts = parts;
    this.#context = {
      ...makeResource(deps.config.clusterName, deps.trailId),
      labels: deps.settings.labels,
    };
  }

  /** @throws DatabaseFailure, GoldmaneFailure, ReceiverFailure; the signal's reason */
  async export(bucket: ExportBucket): Promise<void> {
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
      await this.#send(bucket, marks);
      this.setAside.done(startSeconds);
    } catch (error) {
      const nowMs = this.#deps.config.clock.elapsed();
      if (isReceiverFailure(error)) this.setAside.failed(startSeconds, nowMs);
      // If the database is unavailable, this attempt stays recorded; that matters only if three processes end during one.
      if (isLarge) await endLargeTry(query, startSeconds).catch(() => undefined);
      if (!isGoldmaneFailure(error) || !['invalid_list_response', 'response_too_large'].includes(error.kind))
        throw error;
      this.setAside.add(startSeconds, nowMs);
      await this.#parts.trouble.note(error);
    }
  }

  async #send(bucket: ExportBucket, marks: ExportMarks): Promise<void> {
    const { settings, metrics, config, log, database } = this.#deps;
    const { attempt, source, receiver, summary } = this.#parts;
    const answer = await source.list(bucket.startSeconds, marks);
    const hasAccepted = config.clock.elapsed() - this.#acceptedAtMs < recentlyMs;
    const delivery = new Delivery(
      { receiver, config: settings, metrics, signal: attempt.signal },
      { hasAccepted, isSuspect: hasAccepted && this.setAside.isSuspect(bucket.startSeconds) },
    );
    const sender = new BucketSender(
      {
        database,
        delivery,
        context: this.#context,
        nowMs: () => config.clock.now(),
        beat: () => attempt.beat(),
      },
      bucket,
      marks,
    );
    let missing = 0;
    try {
      missing = await sender.run(answer);
      summary.buckets += 1;
    } finally {
      source.release();
      const { accepted, rejected, rejection, warning } = sender.exported;
      summary.records += accepted;
      summary.rejected += rejected;
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
    await noteExportSent(database.query, config.clock.now() / 1_000);
    if (missing > 0)
      log.warn(
        { bucket: iso(bucket.startSeconds), records: missing },
        'Goldmane no longer has some records of a bucket that was waiting to be exported',
      );
  }
}
