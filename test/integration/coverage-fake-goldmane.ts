import type { Clock } from '../../src/time/clock.ts';
import type { GoldmaneConnection } from '../../src/goldmane/connection.ts';
import { goldmaneFailure } from '../../src/goldmane/failure.ts';
import { encodeListAnswer } from '../support/capture.ts';
import { encodeFlow, type TestFlow } from '../unit/trail/flow-messages.ts';

const ringSeconds = 3_615;

/** A clock that `sleep` advances without waiting. Not for concurrent sleepers. */
export class VirtualClock implements Clock {
  #nowMs: number;
  /** How far the clock is ahead of the true time, which Goldmane uses. */
  aheadMs = 0;

  constructor(nowSeconds: number) {
    this.#nowMs = nowSeconds * 1000;
  }

  now(): number {
    return this.#nowMs + this.aheadMs;
  }

  elapsed(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#nowMs += Math.max(0, ms);
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }

  realMs(ms: number): number {
    return ms;
  }

  pass(seconds: number): void {
    this.#nowMs += seconds * 1000;
  }
}

export type Flows = Omit<TestFlow, 'startSeconds' | 'id'>[];

/** A fake Goldmane for settling: `List` with a ring, ids of flow keys, and restarts. */
export class FakeGoldmane {
  readonly clock: VirtualClock;
  /** The requested buckets, in order. */
  requested: number[] = [];
  connects = 0;
  /** The flows of a bucket, once it has begun. */
  flowsOf: (startSeconds: number) => Flows;
  /** Called before each answer. May throw an error of `list`, or replace the answer. */
  onList: (startSeconds: number) => Buffer | undefined = () => undefined;
  /** Called before each connection. May throw a connection error. */
  onConnect: () => void = () => undefined;
  /** Whether refusals contain the server's clock. */
  statesClock = true;
  /** Whether a key occurs only once an hour. */
  isIdle: (flow: Flows[number]) => boolean = () => false;
  #inFlight = 0;
  #run = 1;
  #aliveSince = Number.NEGATIVE_INFINITY;
  #ids = new Map<string, number>();
  #nextId = 1;

  constructor(clock: VirtualClock, flowsOf: (startSeconds: number) => Flows) {
    this.clock = clock;
    this.flowsOf = flowsOf;
  }

  get nowSeconds(): number {
    return this.clock.elapsed() / 1000;
  }

  /** Starts a new server run and closes connections. Earlier flows are lost, except those that nodes re-send (`resentSeconds`). */
  restart(resentSeconds = 0): void {
    this.#aliveSince = this.nowSeconds - resentSeconds;
    this.#run += 1;
    this.#ids.clear();
    this.#nextId += 10_000;
  }

  connect(): GoldmaneConnection {
    this.onConnect();
    this.connects += 1;
    const run = this.#run;
    const throwIfLost = () => {
      if (run !== this.#run)
        throw goldmaneFailure({
          kind: 'unavailable',
          what: 'The connection was lost',
          cure: 'Try again',
        });
    };
    return {
      bundle: { caFingerprint: 'ca', certFingerprint: 'cert', certNotAfter: new Date(8.64e15) },
      list: async (startSeconds, signal) => {
        signal.throwIfAborted();
        if (this.#inFlight > 0) throw new Error('concurrent List calls');
        this.#inFlight += 1;
        try {
          throwIfLost();
          await this.clock.sleep(40, signal);
          this.requested.push(startSeconds);
          const answer = this.onList(startSeconds) ?? this.answer(startSeconds);
          throwIfLost();
          return answer;
        } finally {
          this.#inFlight -= 1;
        }
      },
      askClock: () => {
        throwIfLost();
        return Promise.resolve(this.statesClock ? this.nowSeconds : undefined);
      },
      stream: () => Promise.reject(new Error('this fake has no stream')),
      close: () => undefined,
    };
  }

  answer(startSeconds: number): Buffer {
    const isHeld = startSeconds + ringSeconds > this.nowSeconds && startSeconds >= this.#aliveSince;
    const flows = isHeld && startSeconds <= this.nowSeconds ? this.flowsOf(startSeconds) : [];
    return encodeListAnswer(
      flows.map((flow) => encodeFlow({ ...flow, startSeconds, id: this.#idOf(flow, startSeconds) })),
    );
  }

  /** The id of a key in this server run. A key that was idle for an hour gets another id. */
  #idOf(flow: Flows[number], startSeconds: number): number {
    const text = JSON.stringify([flow, this.isIdle(flow) ? Math.floor(startSeconds / 3_600) : 0]);
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#ids.set(text, id);
    return id;
  }
}
