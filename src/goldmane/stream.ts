import { Buffer } from 'node:buffer';
import { Metadata, status, type Client } from '@grpc/grpc-js';
import { CallError, callUnary } from './calls.ts';
import { STREAM_FROM_NOW } from './requests.ts';

export interface StreamHandlers {
  /** Called once, when the server has started the stream. */
  onOpen(): void;
  /**
   * Called with each raw FlowResult in the turn of the event loop in which it arrives. It blocks the stream, so it must be
   * fast.
   */
  onMessage(raw: Buffer): void;
}

interface StreamLimits {
  /** Silence after which the peer is probed. Real milliseconds. */
  silenceMs: number;
  /** Time limit for the response to a probe. Real milliseconds. */
  answerMs: number;
  signal: AbortSignal;
  /** The encoded FlowStreamRequest. Default: from now on. */
  request?: Buffer;
}

const STREAM_PATH = '/goldmane.Flows/Stream';
const HEALTH_PATH = '/grpc.health.v1.Health/Check';
const ANY_SERVICE = Buffer.alloc(0);
/**
 * Messages that arrive in one turn of the event loop are handled together, because the handler's code and data then stay in
 * the processor's caches; alternating with grpc-js's code takes longer. Larger batches would survive garbage collections.
 */
const MESSAGES_PER_DELIVERY = 64;

/**
 * Follows `Flows.Stream` from now on, until the signal aborts (rejects with its reason), the stream ends in any other
 * way (CallError), or a handler throws (its error).
 *
 * A silent peer is probed with a health check instead of HTTP/2 pings: Goldmane uses grpc-go's ping policy and closes a
 * connection that sends a ping every 10 s after 40 s without other traffic, and a quiet cluster sends no traffic.
 * Goldmane has no health service; its "unimplemented" response shows that it is alive. Its transport responds
 * independently of its main loop.
 */
export function followStream(client: Client, handlers: StreamHandlers, limits: StreamLimits): Promise<void> {
  return new Promise((_resolve, reject) => {
    new Following(client, handlers, limits, reject).start();
  });
}

class Following {
  readonly #client: Client;
  readonly #handlers: StreamHandlers;
  readonly #limits: StreamLimits;
  readonly #reject: (reason: unknown) => void;
  readonly #ended = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #wasHeard = false;
  /** Messages not yet passed to the handler. */
  #arrived: Buffer[] = [];

  constructor(
    client: Client,
    handlers: StreamHandlers,
    limits: StreamLimits,
    reject: (reason: unknown) => void,
  ) {
    this.#client = client;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#reject = reject;
  }

  start(): void {
    const { signal, silenceMs, request = STREAM_FROM_NOW } = this.#limits;
    if (signal.aborted) {
      this.#reject(signal.reason);
      return;
    }
    // The call under makeServerStreamRequest, which would put each message through a Readable.
    const call = this.#client
      .getChannel()
      .createCall(STREAM_PATH, Number.POSITIVE_INFINITY, undefined, null, undefined);
    const onAbort = () => this.#end(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#ended.signal.addEventListener('abort', () => {
      signal.removeEventListener('abort', onAbort);
      clearInterval(this.#timer);
      call.cancelWithStatus(status.CANCELLED, 'the reader ended the stream');
    });
    call.start(new Metadata(), {
      onReceiveMetadata: () => this.#open(),
      onReceiveMessage: (raw: Buffer) => {
        this.#take(raw);
        call.startRead();
      },
      // Also called after cancelling, which is not an error.
      onReceiveStatus: ({ code, details }) =>
        this.#end(
          code === status.OK
            ? new CallError(status.UNAVAILABLE, 'the server ended the stream')
            : new CallError(code, details),
        ),
    });
    call.sendMessageWithContext({}, request);
    call.halfClose();
    call.startRead();
    this.#timer = setInterval(() => {
      if (!this.#wasHeard) void this.#sendProbe();
      this.#wasHeard = false;
    }, silenceMs);
    // Go sends headers only with the first message. The response to a probe sent after the stream request shows that the
    // stream has started.
    void this.#sendProbe();
  }

  #take(raw: Buffer): void {
    this.#wasHeard = true;
    if (!this.#isOpen) this.#open();
    if (this.#ended.signal.aborted) return;
    const waiting = this.#arrived.push(raw);
    if (waiting === 1) setImmediate(() => this.#deliver());
    else if (waiting === MESSAGES_PER_DELIVERY) this.#deliver();
  }

  #deliver(): void {
    const messages = this.#arrived;
    this.#arrived = [];
    try {
      for (const raw of messages) {
        if (this.#ended.signal.aborted) return;
        this.#handlers.onMessage(raw);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #open(): void {
    if (this.#isOpen || this.#ended.signal.aborted) return;
    this.#isOpen = true;
    try {
      this.#handlers.onOpen();
    } catch (error) {
      this.#end(error);
    }
  }

  async #sendProbe(): Promise<void> {
    const { answerMs } = this.#limits;
    const { signal } = this.#ended;
    try {
      await callUnary(this.#client, HEALTH_PATH, ANY_SERVICE, { timeoutMs: answerMs, signal });
    } catch (error) {
      // A broken connection ends the stream anyway; any other status comes from a live server.
      if (
        !(error instanceof CallError) ||
        error.code === status.UNAVAILABLE ||
        error.code === status.CANCELLED
      )
        return;
      if (error.code === status.DEADLINE_EXCEEDED) {
        if (!this.#wasHeard)
          this.#end(
            new CallError(status.UNAVAILABLE, `no response to a probe for ${Math.round(answerMs)} ms`),
          );
        return;
      }
    }
    this.#open();
  }

  #end(reason: unknown): void {
    this.#deliver();
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#reject(reason);
  }
}
