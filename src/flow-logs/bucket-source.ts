import { memoryLimits } from '../config/memory-limits.ts';
import type { GoldmaneConnection } from '../goldmane/connection.ts';
import { FlowDecoder } from '../goldmane/decoder/decode.ts';
import type { ExportMarks } from '../trail/export/export-marks.ts';
import type { ExportDeps } from './deps.ts';
import type { ExportAttempt } from './export-attempt.ts';
import { ListedResponse } from './records-to-send.ts';

/** Certificates are read again at least this often. */
const connectionMs = 15 * 60_000;

/** Lists buckets for the export, over a connection of its own. */
export class BucketSource {
  readonly #deps: ExportDeps;
  readonly #attempt: ExportAttempt;
  readonly #decoder = new FlowDecoder({ internedBytes: memoryLimits.internedBytes / 4 });
  #connection: GoldmaneConnection | undefined;
  #connectedAtMs = 0;

  constructor(deps: ExportDeps, attempt: ExportAttempt) {
    this.#deps = deps;
    this.#attempt = attempt;
  }

  /** Goldmane serves calls in its single main loop: waits twice as long as the call took, so that other clients go first. */
  async list(startSeconds: number, { hasher }: ExportMarks): Promise<ListedResponse> {
    const connection = await this.#connect();
    const startedAt = performance.now();
    const raw = await this.#attempt.waitFor(connection.list(startSeconds, this.#attempt.signal));
    const tookMs = performance.now() - startedAt;
    const { labels } = this.#deps.settings;
    const answer = await ListedResponse.read(this.#decoder, raw, startSeconds, {
      hasher,
      maxRecords: memoryLimits.recordsPerBucket,
      withLabels: labels === 'all' || labels.size > 0,
    });
    await this.#attempt.idle(Math.max(20, 2 * tookMs));
    return answer;
  }

  async #connect(): Promise<GoldmaneConnection> {
    const { clock } = this.#deps.config;
    if (this.#connection && clock.elapsed() - this.#connectedAtMs > connectionMs) this.disconnect();
    if (this.#connection) return this.#connection;
    this.#connection = await this.#attempt.waitFor(this.#deps.connectGoldmane(this.#attempt.signal));
    this.#connectedAtMs = clock.elapsed();
    this.#deps.metrics.connected(true);
    return this.#connection;
  }

  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#deps.metrics.connected(false);
  }

  /** Frees the memory of the last response. */
  release(): void {
    this.#decoder.release();
  }
}
