import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ExportConfig } from '../config/export-config.ts';
import { isReceiverFailure, receiverFailure, type ReceiverFailureKind } from './failure.ts';
import type { SizedLogRecord } from './log-record.ts';
import type { ExportMetrics } from './metrics.ts';
import { encodeRequest } from './otlp-message.ts';
import type { Answer, Receiver } from './receiver.ts';

/** If this many records in a row are rejected when sent alone, the receiver rejects everything. */
const mostRefusedInARow = 8;

/** Failures that a single record can cause at a receiver or a filter in front of it. */
const ofContent: ReadonlySet<ReceiverFailureKind> = new Set([
  'refused',
  'not_otlp',
  'timeout',
  'unreachable',
]);

interface Waiting {
  hash: bigint;
  record: ReadableLogRecord;
}

/** A record that was rejected when it was sent alone. */
interface Refused extends Waiting {
  message: string;
  /** The receiver failed, which the record may not have caused: it is sent once more before it counts as rejected. */
  isFailure: boolean;
}

/**
 * Sends the records of one bucket in batches. A batch that is rejected as invalid or too large is halved until the
 * records that cause the error are isolated. Such a record counts as rejected once the receiver has accepted another
 * one; after a failure, only if it also fails at the end of the bucket. If the receiver rejects every
 * record, that is a failure, and no record counts as rejected.
 */
export class Delivery {
  readonly #receiver: Pick<Receiver, 'send' | 'name'>;
  readonly #config: Pick<ExportConfig, 'batchRecords' | 'batchBytes'>;
  readonly #metrics: ExportMetrics;
  readonly #signal: AbortSignal;
  readonly #hasAccepted: boolean;
  readonly #isSuspect: boolean;
  #batch: Waiting[] = [];
  #batchBytes = 0;
  #refused: Refused[] = [];
  /** Since the receiver last accepted any. */
  #refusedInARow = 0;
  readonly #done: bigint[] = [];
  #accepted = 0;
  #rejected = 0;
  #rejection: string | undefined;
  #warning: string | undefined;

  /**
   * @param options.hasAccepted the receiver has recently accepted records
   * @param options.isSuspect it accepts others, but failed repeatedly at this bucket: one of its records may be the cause, so
   * failures count as rejections
   */
  constructor(
    parts: {
      receiver: Pick<Receiver, 'send' | 'name'>;
      config: Pick<ExportConfig, 'batchRecords' | 'batchBytes'>;
      metrics: ExportMetrics;
      signal: AbortSignal;
    },
    { hasAccepted, isSuspect }: { hasAccepted: boolean; isSuspect: boolean },
  ) {
    this.#receiver = parts.receiver;
    this.#config = parts.config;
    this.#metrics = parts.metrics;
    this.#signal = parts.signal;
    this.#hasAccepted = hasAccepted;
    this.#isSuspect = isSuspect;
  }

  /** Hashes of records that were accepted or rejected. */
  get done(): readonly bigint[] {
    return this.#done;
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** The number of rejected records, and the receiver's message about the last one. */
  get rejected(): { count: number; message: string | undefined } {
    return { count: this.#rejected, message: this.#rejection };
  }

  /** The receiver's message if it accepted all records. */
  get warning(): string | undefined {
    return this.#warning;
  }

  /** Sends a batch when it is full. @returns whether it did @throws ReceiverFailure */
  async add(hash: bigint, { record, bytes }: SizedLogRecord): Promise<boolean> {
    const isFull =
      this.#batch.length >= this.#config.batchRecords ||
      (this.#batch.length > 0 && this.#batchBytes + bytes > this.#config.batchBytes);
    if (isFull) await this.#flush();
    this.#batch.push({ hash, record });
    this.#batchBytes += bytes;
    return isFull;
  }

  /** Sends the remaining records, and decides about those that were rejected when sent alone. @throws ReceiverFailure */
  async finish(): Promise<void> {
    await this.#flush();
    const failed = this.#refused.filter(({ isFailure }) => isFailure);
    this.#refused = this.#refused.filter(({ isFailure }) => !isFailure);
    for (const waiting of failed) await this.#send([waiting]);
    const [first] = this.#refused;
    if (!first) return;
    if (!this.#hasAccepted && this.#accepted === 0) throw this.#refusesAll(first.message);
    this.#reject(this.#refused);
    this.#refused = [];
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#send(batch);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    const body = encodeRequest(batch.map(({ record }) => record));
    const startedAt = performance.now();
    const answer = await this.#receiver
      .send(body, this.#signal)
      .catch((error: unknown) => this.#refusalOf(error));
    this.#metrics.sent(answer.status, body.length, (performance.now() - startedAt) / 1_000);
    if (answer.status === 'accepted') {
      const rejected = Math.min(answer.rejected, batch.length);
      this.#accept(batch, rejected, answer.message);
      return;
    }
    const [only, another] = batch;
    if (only && !another) {
      const message = answer.message === '' ? answer.status.replace('_', ' ') : answer.message;
      this.#refused.push({ ...only, message, isFailure: 'isFailure' in answer });
      this.#refusedInARow += 1;
      if (this.#refusedInARow >= mostRefusedInARow) throw this.#refusesAll(message);
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await this.#send(batch.slice(0, half));
    await this.#send(batch.slice(half));
  }

  #refusalOf(error: unknown): Answer & { isFailure: true } {
    if (this.#isSuspect && isReceiverFailure(error) && ofContent.has(error.kind))
      return { status: 'invalid', message: error.message, isFailure: true };
    throw error;
  }

  #accept(batch: readonly Waiting[], rejected: number, message: string): void {
    for (const { hash } of batch) this.#done.push(hash);
    this.#accepted += batch.length - rejected;
    this.#metrics.records('accepted', batch.length - rejected);
    if (rejected > 0) this.#count(rejected, message);
    else if (message !== '') this.#warning = message;
    if (rejected === batch.length) return;
    this.#refusedInARow = 0;
    // The receiver accepts other records, so the isolated ones caused the rejection.
    this.#reject(this.#refused.filter(({ isFailure }) => !isFailure));
    this.#refused = this.#refused.filter(({ isFailure }) => isFailure);
  }

  #reject(refused: readonly Refused[]): void {
    for (const { hash, message } of refused) {
      this.#done.push(hash);
      this.#count(1, message);
    }
  }

  #count(rejected: number, message: string): void {
    this.#rejected += rejected;
    this.#rejection = message === '' ? this.#rejection : message;
    this.#metrics.records('rejected', rejected);
  }

  #refusesAll(message: string): Error {
    return receiverFailure({
      kind: 'refused',
      what: `the receiver ${this.#receiver.name} rejects every record, even when it is sent alone (${message})`,
      cure: 'Check the log of the receiver; records are sent again while Goldmane still has them',
    });
  }
}
