import { Buffer } from 'node:buffer';
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { asIs, CallError, callUnary } from './calls.ts';
import { STREAM_FROM_NOW } from './requests.ts';

export interface StreamHandlers {
  /** Once, when the server has taken up the stream. */
  onOpen(): void;
  /** Each FlowResult, raw, as it arrives. What it does holds the stream back, so it must be quick. */
  onMessage(raw: Buffer): void;
}

export interface StreamLimits {
  /** After so much silence the peer is asked for a sign of life. Real milliseconds. */
  silenceMs: number;
  /** So long it may take to give one. Real milliseconds. */
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
 * Signs of life are asked for by a health check instead of HTTP/2 pings: Goldmane keeps grpc-go's policy on pings, and
 * ends the connection after 40 s of quiet if it gets one every 10 s, while a quiet cluster sends nothing. Goldmane
 * has no health service; the answer that it has none is the sign of life. Its transport answers independently of its main loop.
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
    // Stays after the end: cancelling is reported here too, and is not an error.
    call.on('error', (error: ServiceError) => this.#end(new CallError(error.code, error.details)));
    this.#timer = setInterval(() => {
      if (!this.#wasHeard) void this.#askForLife();
      this.#wasHeard = false;
    }, silenceMs);
    // Go sends headers with the first message. An answer to what was asked after the stream shows that it was taken up.
    void this.#askForLife();
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

  async #askForLife(): Promise<void> {
    const { answerMs } = this.#limits;
    const { signal } = this.#ended;
    try {
      await callUnary(this.#client, HEALTH_PATH, ANY_SERVICE, { timeoutMs: answerMs, signal });
    } catch (error) {
      // A broken connection ends the stream anyway; any other status comes from a living server.
      if (
        !(error instanceof CallError) ||
        error.code === status.UNAVAILABLE ||
        error.code === status.CANCELLED
      )
        return;
      if (error.code === status.DEADLINE_EXCEEDED) {
        if (!this.#wasHeard)
          this.#end(new CallError(status.UNAVAILABLE, `no sign of life for ${Math.round(answerMs)} ms`));
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
