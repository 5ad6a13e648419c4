import type { Clock } from '../../src/time/clock.ts';
import type { ListRequest, StreamRequest } from './decode.ts';
import { encodeList, encodeRecord } from './encode.ts';
import { BucketFanOut } from './fan-out-3-32.ts';
import { SerialFanOut } from './fan-out-3-30.ts';
import type { FanOut } from './fan-out.ts';
import { completeFlow, type Flow } from './flow.ts';
import type { StreamCall } from './grpc-server.ts';
import { GrpcError } from './grpc-status.ts';
import { Intake } from './intake.ts';
import { MainLoop } from './main-loop.ts';
import { ReaderStream } from './reader-stream.ts';
import { identify } from './flow-keys.ts';
import type { BucketRing, GoldmaneVersion } from './ring.ts';
import { shuffled } from './shuffled.ts';

const FLOWS_A_TURN = 1001;
const BEHIND_RETRY_MS = 10;

interface CoreOptions {
  clock: Clock;
  ring: BucketRing;
  version: GoldmaneVersion;
  /** When the first rollover is due, milliseconds by the clock. */
  firstRolloverMs: number;
}

/** One run of Goldmane without the network: ring, main loop, streams. */
export class GoldmaneCore {
  readonly ring: BucketRing;
  readonly intake: Intake;
  readonly fanOut: FanOut;
  readonly streams = new Set<ReaderStream>();
  readonly #clock: Clock;
  readonly #loop: MainLoop;
  readonly #lists: (() => void)[] = [];
  readonly #backfills: ReaderStream[] = [];
  readonly #stopped = new AbortController();
  #rolloverDue = false;
  #nextRolloverMs: number;
  outsideRing = 0;
  recordsSent = 0;
  lists = 0;
  listMsTotal = 0;
  listMsMax = 0;

  constructor(options: CoreOptions) {
    this.ring = options.ring;
    this.#clock = options.clock;
    this.#nextRolloverMs = options.firstRolloverMs;
    this.fanOut =
      options.version === '3.32'
        ? new BucketFanOut(this.ring, this.#clock)
        : new SerialFanOut(this.ring, this.#clock);
    this.#loop = new MainLoop(this.#clock, [
      { ready: () => this.intake.queue.size > 0, run: () => this.#takeFlows() },
      { ready: () => this.#rolloverDue, run: () => this.#rollOver() },
      { ready: () => this.#lists.length > 0, run: () => this.#lists.shift()?.() },
      { ready: () => this.#backfills.length > 0, run: () => this.#backfill() },
    ]);
    this.intake = new Intake(this.#clock, () => this.#loop.wake());
    this.#scheduleRollover();
  }

  /** Resolves after `stop`. */
  run(): Promise<void> {
    return this.#loop.run();
  }

  stop(): void {
    this.#stopped.abort();
    this.intake.queue.close();
    this.fanOut.stop();
    this.#loop.stop();
  }

  hold(ms: number): void {
    this.#loop.hold(ms);
  }

  /** Accepts flows as from one connection: added at once if the main loop is idle, otherwise queued. */
  ingest(flows: readonly Flow[]): void {
    // A node keeps its flows in a map, so their order, and thus the order of new key ids, is random.
    const arriving = shuffled([...flows]);
    for (const [index, flow] of arriving.entries()) {
      const identified = identify(completeFlow(flow));
      const bucket = this.ring.find(flow.startSeconds);
      const mustWait =
        this.#loop.working || this.intake.queue.size > 0 || (bucket && this.fanOut.busy(bucket));
      if (mustWait) {
        void this.intake.receive(arriving.slice(index));
        return;
      }
      this.intake.received++;
      if (!this.ring.add(identified)) this.outsideRing++;
    }
  }

  /** A FlowListResult. Computed in its turn even if the caller has disconnected. */
  list(request: ListRequest): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#lists.push(() => {
        const begun = performance.now();
        try {
          resolve(this.#answer(request));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        const tookMs = performance.now() - begun;
        this.lists++;
        this.listMsTotal += tookMs;
        this.listMsMax = Math.max(this.listMsMax, tookMs);
      });
      this.#loop.wake();
    });
  }

  /** Follows the stream until the call ends. */
  async stream(request: StreamRequest, call: StreamCall): Promise<void> {
    const nowSeconds = this.#nowSeconds();
    const from = request.startTimeGte < 0 ? nowSeconds + request.startTimeGte : request.startTimeGte;
    const stream = new ReaderStream({
      call,
      historyFromSeconds: from,
      capacity: this.fanOut.capacityFor(from === 0 ? 0 : this.ring.countRecords(from, nowSeconds)),
      clock: this.#clock,
    });
    this.streams.add(stream);
    this.fanOut.join(stream);
    this.#backfills.push(stream);
    this.#loop.wake();
    try {
      await stream.send(() => {
        this.recordsSent += 1;
      });
    } finally {
      this.fanOut.leave(stream);
      this.streams.delete(stream);
    }
  }

  async #takeFlows(): Promise<void> {
    for (let taken = 0; taken < FLOWS_A_TURN; taken++) {
      const next = this.intake.queue.shift();
      if (!next) return;
      const bucket = this.ring.find(next.flow.startSeconds);
      const busy = bucket && this.fanOut.busy(bucket);
      if (busy) await busy;
      if (!this.ring.add(next)) this.outsideRing++;
    }
  }

  async #rollOver(): Promise<void> {
    this.#rolloverDue = false;
    const bucket = this.ring.streamingBucket;
    bucket.sent = true;
    this.fanOut.flush(bucket);
    const oldest = this.ring.find(this.ring.oldestSeconds);
    const busy = oldest && this.fanOut.busy(oldest);
    if (busy) await busy;
    this.ring.advance();
    // Due when the newest bucket begins or, if that is in the past, as soon as other sources have had their turn.
    this.#nextRolloverMs = Math.max(this.ring.newestSeconds * 1000, this.#clock.now() + BEHIND_RETRY_MS);
    this.#scheduleRollover();
  }

  #scheduleRollover(): void {
    this.#clock.sleep(this.#nextRolloverMs - this.#clock.now(), this.#stopped.signal).then(
      () => {
        // Timers of a fast clock fire up to a real millisecond early, which is many milliseconds of the clock.
        if (this.#clock.now() < this.#nextRolloverMs) this.#scheduleRollover();
        else {
          this.#rolloverDue = true;
          this.#loop.wake();
        }
      },
      () => undefined,
    );
  }

  async #backfill(): Promise<void> {
    const stream = this.#backfills.shift();
    if (!stream || stream.historyFromSeconds === 0) return;
    await this.fanOut.backfill(stream, this.ring.history(stream.historyFromSeconds));
  }

  #answer(request: ListRequest): Buffer {
    const nowSeconds = this.#nowSeconds();
    const gte = normalised(request.startTimeGte, nowSeconds, this.ring.oldestSeconds);
    const lt = normalised(request.startTimeLt, nowSeconds, nowSeconds);
    if (gte >= lt)
      throw new GrpcError('UNKNOWN', `startTimeGt (${gte}) must be less than startTimeLt (${lt})`);
    const records = shuffled(this.ring.list(gte, lt)).toSorted((a, b) => b.startSeconds - a.startSeconds);
    const injected = this.ring.bucketsIn(gte, lt).flatMap((bucket) => bucket.injected);
    return encodeList([...records.map(encodeRecord), ...injected]);
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

function normalised(seconds: number, nowSeconds: number, zeroSeconds: number): number {
  if (seconds === 0) return zeroSeconds;
  return seconds < 0 ? nowSeconds + seconds : seconds;
}
