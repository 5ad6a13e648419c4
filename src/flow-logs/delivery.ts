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

/**
 * Sends the records of one bucket in batches. A batch that is rejected as invalid or too large is halved until the
 * records that cause the error are isolated. Such a record counts as rejected once the receiver has accepted another
 * one. If the receiver rejects every record, that is a failure, and no record counts as rejected.
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
  /** Records rejected when sent alone, since the receiver last accepted any. */
  #refused: bigint[] = [];
  #refusal = '';
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
    if (this.#refused.length === 0) return;
    if (!this.#hasAccepted && this.#accepted === 0) throw this.#refusesAll();
    this.#reject();
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
      this.#refused.push(only.hash);
      this.#refusal = answer.message === '' ? answer.status.replace('_', ' ') : answer.message;
      if (this.#refused.length >= mostRefusedInARow) throw this.#refusesAll();
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await this.#send(batch.slice(0, half));
    await this.#send(batch.slice(half));
  }

  #refusalOf(error: unknown): Answer {
    if (this.#isSuspect && isReceiverFailure(error) && ofContent.has(error.kind))
      return { status: 'invalid', message: error.message };
    throw error;
  }

  #accept(batch: readonly Waiting[], rejected: number, message: string): void {
    for (const { hash } of batch) this.#done.push(hash);
    this.#accepted += batch.length - rejected;
    this.#metrics.records('accepted', batch.length - rejected);
    if (rejected > 0) this.#count(rejected, message);
    else if (message !== '') this.#warning = message;
    if (rejected < batch.length) this.#reject();
  }

  /** The receiver accepts other records, so the isolated ones caused the rejection. */
  #reject(): void {
    if (this.#refused.length === 0) return;
    this.#done.push(...this.#refused);
    this.#count(this.#refused.length, this.#refusal);
    this.#refused = [];
  }

  #count(rejected: number, message: string): void {
    this.#rejected += rejected;
    this.#rejection = message === '' ? this.#rejection : message;
    this.#metrics.records('rejected', rejected);
  }

  #refusesAll(): Error {
    return receiverFailure({
      kind: 'refused',
      what: `the receiver ${this.#receiver.name} rejects every record, even when it is sent alone (${this.#refusal})`,
      cure: 'Check the log of the receiver; records are sent again while Goldmane still has them',
    });
  }
}
