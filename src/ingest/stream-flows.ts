import { memoryLimits } from '../config/memory-limits.ts';
import { isGoldmaneFailure } from '../goldmane/failure.ts';
import { StreamFold } from '../trail/fold/fold-stream.ts';
import { iso } from '../time/iso.ts';
import { Attempt } from './attempt.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { connect } from './connect.ts';
import { describeMalformed } from './malformed.ts';
import { DeliveryWatch } from './delivery-watch.ts';
import type { Deps } from './deps.ts';
import { addNewEdges, emptyStreamSummary } from './empty-summary.ts';
import { streamEnding, type StreamEnding } from './stream-ending.ts';
import { StreamIntake } from './stream-intake.ts';
import { StreamWriter } from './stream-writer.ts';
import type { StreamSummary, WindowInput } from './summary.ts';

const maxFailuresInARow = 3;
const steadyMs = 30_000;
const tickMs = 1_000;

/**
 * Follows Goldmane's stream for one window and keeps edges current. It reconnects when the stream breaks. Three
 * failures in a row fail the attempt, so that the UI shows the cause; Temporal then starts the next attempt.
 * @returns the summary of the window; a cancelled window also merges its pending records
 */
export async function streamFlows(deps: Deps, { windowMs }: WindowInput): Promise<StreamSummary> {
  return new StreamWindow(deps, windowMs).run();
}

class StreamWindow {
  readonly #deps: Deps;
  readonly #attempt: Attempt;
  readonly #writer: StreamWriter;
  readonly #delivery = new DeliveryWatch();
  readonly #intake: StreamIntake;
  /** Elapsed milliseconds. */
  readonly #endsAtMs: number;
  readonly #summary: StreamSummary;
  /** A bug in the writer ends the attempt; database failures do not. */
  readonly #fault = new AbortController();
  #isConnected = false;
  /** Whether the previous stream broke. */
  #wasBroken: boolean;

  constructor(deps: Deps, windowMs: number) {
    this.#deps = deps;
    this.#attempt = new Attempt(deps, 'stream');
    this.#wasBroken = this.#attempt.isRetry;
    this.#endsAtMs = deps.config.clock.elapsed() + windowMs;
    this.#summary = emptyStreamSummary(new Date(deps.config.clock.now()).toISOString());
    this.#writer = new StreamWriter(
      deps,
      new StreamFold({ limit: memoryLimits.pendingRecords }),
      (merged, batches) => {
        const summary = this.#summary;
        summary.merges += 1;
        summary.recordsMerged += merged.newEdgeRecords;
        addNewEdges(summary, merged.newEdges);
        summary.bucketsStreamedWhole += batches.filter(({ streamedWhole }) => streamedWhole).length;
        const newest = batches.at(-1)?.startSeconds;
        if (newest === undefined) return;
        summary.newestBucket = iso(newest);
        this.#deps.metrics.newestBucket(newest);
      },
    );
    this.#intake = new StreamIntake(deps, this.#writer, this.#delivery);
  }

  async run(): Promise<StreamSummary> {
    const { log } = this.#deps;
    let failures = 0;
    const writing = new AbortController();
    const writer = this.#write(writing.signal).catch((error: unknown) => this.#fault.abort(error));
    try {
      await this.#attempt.waitForStart();
      for (;;) {
        const openedAtMs = this.#deps.config.clock.elapsed();
        try {
          const ending = await this.#follow();
          this.#fault.signal.throwIfAborted();
          if (ending === 'window' || ending === 'cancelled') break;
          this.#countReconnect(ending);
          log.warn({ ending, lagSeconds: this.#deps.serverClock.lagMs / 1000 }, 'Replacing the stream');
        } catch (error) {
          if (this.#attempt.signal.aborted) break;
          this.#fault.signal.throwIfAborted();
          if (!isGoldmaneFailure(error)) throw error;
          failures = this.#deps.config.clock.elapsed() - openedAtMs > steadyMs ? 1 : failures + 1;
          this.#countReconnect(error.kind);
          this.#wasBroken = true;
          this.#summary.lastError = error.message;
          this.#attempt.beat({ state: 'failing', error: error.message });
          log.warn({ kind: error.kind, failures, reason: error.message }, 'The stream failed; reconnecting');
          if (failures >= maxFailuresInARow) throw error;
          await this.#attempt.idle(1_000 * 2 ** failures * (0.5 + Math.random()));
        }
      }
    } catch (error) {
      throw toActivityFailure(error);
    } finally {
      writing.abort();
      await writer;
      this.#publish();
      // Pending records are merged no matter how the attempt ends.
      await this.#attempt.waitFor(this.#writer.flush(true));
    }
    return this.#finish();
  }

  /** Completes the summary; an interrupted attempt ends as cancelled, after its merge. */
  #finish(): StreamSummary {
    const { signal } = this.#attempt;
    if (signal.aborted && !this.#attempt.isEndRequested) throw this.#attempt.interrupted();
    if (this.#writer.trouble) throw toActivityFailure(this.#writer.trouble);
    this.#summary.ended = signal.aborted ? 'cancelled' : 'window';
    this.#summary.to = new Date(this.#deps.config.clock.now()).toISOString();
    return this.#summary;
  }

  /** One connection, from dial to close. */
  async #follow(): Promise<StreamEnding | 'cancelled'> {
    const { serverClock, config } = this.#deps;
    const { clock } = config;
    if (clock.elapsed() >= this.#endsAtMs) return 'window';
    this.#attempt.beat({ state: this.#attempt.lastError ? 'failing' : 'connecting' });
    const connection = await connect(this.#deps, this.#attempt, this.#attempt.signal);
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#attempt.signal, this.#fault.signal, ending.signal]);
    try {
      serverClock.reopened();
      const streaming = connection.stream(
        {
          onOpen: () => this.#opened(),
          onMessage: (raw) => {
            this.#summary.records += 1;
            this.#intake.take(raw);
          },
        },
        signal,
      );
      const windowEndsAtMs = this.#endsAtMs;
      const records = () => this.#summary.records;
      const watching = streamEnding({ clock, serverClock, windowEndsAtMs, records }, signal).finally(() =>
        ending.abort(),
      );
      try {
        await streaming;
      } finally {
        ending.abort();
        await watching;
      }
      return this.#attempt.signal.aborted ? 'cancelled' : ((await watching) ?? 'window');
    } finally {
      this.#isConnected = false;
      this.#deps.metrics.connected('stream', false);
      this.#writer.markWhole(this.#delivery.takeWhole(serverClock.nowMs() / 1000));
      this.#delivery.closed();
      connection.close();
    }
  }

  #opened(): void {
    const nowMs = this.#deps.config.clock.now();
    this.#isConnected = true;
    this.#intake.opened();
    this.#summary.connections += 1;
    const { serverClock } = this.#deps;
    this.#delivery.opened(serverClock.isKnown ? serverClock.nowMs() / 1000 : undefined, this.#wasBroken);
    this.#wasBroken = false;
    this.#attempt.beat({
      state: 'connected',
      connectedSince: new Date(nowMs).toISOString(),
      error: undefined,
    });
    this.#deps.log.info({ host: this.#deps.config.goldmane.host }, 'The stream is open');
  }

  /** Runs alongside the stream: marks complete buckets, merges, and publishes the state. */
  async #write(signal: AbortSignal): Promise<void> {
    const { serverClock, config } = this.#deps;
    while (!signal.aborted) {
      await config.clock.sleep(tickMs, signal).catch(() => undefined);
      this.#writer.markWhole(this.#delivery.takeWhole(serverClock.nowMs() / 1000));
      await this.#attempt.waitFor(this.#writer.flush());
      this.#publish();
    }
  }

  #publish(): void {
    const { metrics, serverClock } = this.#deps;
    const counts = this.#writer.takeCounts();
    metrics.streamed(counts);
    // A broken sender sends many malformed records: one log line per tick.
    const malformed = this.#intake.takeMalformed();
    if (malformed.length > 0)
      this.#deps.log.warn(describeMalformed(malformed), 'Malformed records were skipped');
    for (const [what, count] of counts)
      if (what !== 'pending') this.#summary.leftOut[what] = (this.#summary.leftOut[what] ?? 0) + count;
    const lagSeconds = Math.max(0, serverClock.lagMs / 1000);
    this.#summary.maxLagSeconds = Math.max(this.#summary.maxLagSeconds, Math.round(lagSeconds * 10) / 10);
    metrics.lag(lagSeconds);
    metrics.pending(this.#writer.fold.pending);
    const trouble = this.#writer.troubleText;
    if (trouble !== undefined) this.#summary.lastError = trouble;
    if (!this.#isConnected) return this.#attempt.beat();
    this.#attempt.beat({
      state: trouble === undefined ? 'connected' : 'failing',
      lagSeconds: Math.round(lagSeconds),
      records: this.#summary.records,
      newEdges: this.#summary.newEdges,
      error: trouble,
      ...(this.#summary.newestBucket === undefined ? {} : { newestBucket: this.#summary.newestBucket }),
    });
  }

  #countReconnect(cause: string): void {
    this.#summary.reconnects[cause] = (this.#summary.reconnects[cause] ?? 0) + 1;
    this.#deps.metrics.reconnect('stream', cause);
  }
}
