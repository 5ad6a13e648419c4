import { Buffer } from 'node:buffer';
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { asIs, CallError, callUnary } from './calls.ts';
import { STREAM_FROM_NOW } from './requests.ts';

export interface StreamHandlers {
  /** Called once, when the server has started the stream. */
  onOpen(): void;
  /** Called with each raw FlowResult as it arrives. It blocks the stream, so it must be fast. */
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
    const take = (raw: Buffer) => this.#take(raw);
    const call = this.#client.makeServerStreamRequest(STREAM_PATH, asIs, asIs, request);
    const onAbort = () => this.#end(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#ended.signal.addEventListener('abort', () => {
      signal.removeEventListener('abort', onAbort);
      clearInterval(this.#timer);
      call.cancel();
    });
    call.on('metadata', () => this.#open());
    call.on('data', take);
    call.on('end', () => this.#end(new CallError(status.UNAVAILABLE, 'the server ended the stream')));
    // Not removed at the end: cancelling is reported here too, and is not an error.
    call.on('error', (error: ServiceError) => this.#end(new CallError(error.code, error.details)));
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
    try {
      this.#handlers.onMessage(raw);
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
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#reject(reason);
  }
}
