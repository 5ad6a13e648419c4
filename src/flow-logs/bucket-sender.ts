import { setImmediate } from 'node:timers/promises';
import type { Database } from '../trail/database/database.ts';
import { writeExportMarks, type ExportBucket, type ExportMarks } from '../trail/export/export-marks.ts';
import { hashesMissingIn } from '../trail/merge/sorted-hashes.ts';
import type { Delivery } from './isolate-rejected.ts';
import type { ListedResponse } from './records-to-send.ts';
import { exportKeyOf, recordId, toLogRecord, type LogContext } from './log-record.ts';

/** After this many records, the progress is stored within a bucket, too. */
const recordsPerSave = 20_000;
/** After this many records, other work may run. */
const recordsPerStep = 50;

interface BucketSenderParts {
  database: Database;
  delivery: Delivery;
  context: LogContext;
  nowMs: () => number;
  /** Called after each request. */
  beat: () => void;
}

interface ExportedBucket {
  accepted: number;
  rejected: number;
  /** The receiver's message about the last rejected record. */
  rejection: string | undefined;
  /** The receiver's message if it accepted all records. */
  warning: string | undefined;
}

/** Sends the records of one bucket that have not been sent, and stores the progress even if it fails midway. */
export class BucketSender {
  readonly #parts: BucketSenderParts;
  readonly #bucket: ExportBucket;
  readonly #marks: ExportMarks;
  #saved = 0;
  #savedRejected = 0;

  constructor(parts: BucketSenderParts, bucket: ExportBucket, marks: ExportMarks) {
    this.#parts = parts;
    this.#bucket = bucket;
    this.#marks = marks;
  }

  get exported(): ExportedBucket {
    const { accepted, rejected, warning } = this.#parts.delivery;
    return { accepted, rejected: rejected.count, rejection: rejected.message, warning };
  }

  /**
   * @returns the number of settled records that the response does not contain
   * @throws ReceiverFailure, DatabaseFailure; the signal's reason
   */
  async run(answer: ListedResponse): Promise<number> {
    const { settled, sent } = this.#marks;
    let isWhole = false;
    try {
      await this.#send(answer);
      isWhole = true;
    } finally {
      if (isWhole || this.#parts.delivery.done.length > this.#saved) await this.#save(isWhole);
    }
    return hashesMissingIn(hashesMissingIn(settled, sent), answer.hashes()).length;
  }

  async #send(answer: ListedResponse): Promise<void> {
    const { delivery, context, nowMs, beat } = this.#parts;
    const { startSeconds } = this.#bucket;
    const exportKey = exportKeyOf(this.#marks.salt);
    let count = 0;
    for (const record of answer.records(this.#marks.sent)) {
      if (!record) {
        await setImmediate();
        continue;
      }
      const id = recordId(exportKey, startSeconds, record.key.content);
      const log = toLogRecord(record, { id, startSeconds, nowMs: nowMs() }, context);
      if (await delivery.add(record.hash, log)) beat();
      count += 1;
      if (count % recordsPerStep === 0) await setImmediate();
      if (delivery.done.length - this.#saved >= recordsPerSave) await this.#save(false);
    }
    await delivery.finish();
  }

  async #save(isWhole: boolean): Promise<void> {
    const { database, delivery } = this.#parts;
    const { count, message } = delivery.rejected;
    const { sent, isFinal } = this.#marks;
    const all = new BigUint64Array(sent.length + delivery.done.length);
    all.set(sent);
    all.set(delivery.done, sent.length);
    await writeExportMarks(database.query, this.#bucket.startSeconds, {
      sent: all,
      rejected: count - this.#savedRejected,
      rejection: message,
      isDone: isWhole || this.#bucket.stage === 'listed',
      isChecked: isWhole && isFinal,
    });
    this.#saved = delivery.done.length;
    this.#savedRejected = count;
  }
}
