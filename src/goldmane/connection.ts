import { connectivityState, status, Client, credentials, type ClientOptions } from '@grpc/grpc-js';
import type { Buffer } from 'node:buffer';
import type { Clock } from '../time/clock.ts';
import { explainCallError, type FailedCall } from './call-failure.ts';
import { linkSignals } from '../time/link-signals.ts';
import { CallError, callUnary } from './calls.ts';
import { readCertificates, type Certificates } from './certificates.ts';
import { goldmaneFailure, type CertificateBundle } from './failure.ts';
import { tryHandshake } from './handshake.ts';
import { clockInRefusal, encodeListRequest, LIST_NOTHING } from './requests.ts';
import { followStream, type StreamHandlers } from './stream.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';

/** One connection. Once it is lost, calls fail: it does not reconnect, because it might reach a new server run. */
export interface GoldmaneConnection {
  /** The files that the connection was made with. */
  readonly bundle: CertificateBundle;
  /**
   * The raw FlowListResult of the bucket [startSeconds, startSeconds + 15). Waits at most 90 s by the clock. The caller
   * must make one call at a time. Throws GoldmaneFailure, or the signal's reason.
   */
  list(startSeconds: number, signal: AbortSignal): Promise<Buffer>;
  /**
   * Goldmane's clock in seconds, accurate to a second; undefined if this server does not report it. Reads no bucket.
   * Counts as a call of `list`. Throws GoldmaneFailure, or the signal's reason.
   */
  askClock(signal: AbortSignal): Promise<number | undefined>;
  /**
   * Follows `Flows.Stream` from now on. Resolves when the signal aborts; throws GoldmaneFailure when the stream ends in
   * any other way, and whatever a handler throws.
   */
  stream(handlers: StreamHandlers, signal: AbortSignal): Promise<void>;
  /** Ends running calls and closes the connection. */
  close(): void;
}

interface ConnectOptions {
  clock: Clock;
  signal: AbortSignal;
}

const LIST_PATH = '/goldmane.Flows/List';
const LIST_DEADLINE_MS = 90_000;
const CONNECT_DEADLINE_MS = 20_000;
const SILENCE_MS = 15_000;
const SIGN_OF_LIFE_MS = 15_000;
/** How a server rejects the bounds of a request; Goldmane of 3.30 to 3.32 with UNKNOWN. */
const refusals: ReadonlySet<status> = new Set([status.UNKNOWN, status.INVALID_ARGUMENT, status.OUT_OF_RANGE]);
/** A fast clock in tests does not speed up network and TLS. */
const MIN_REAL_DEADLINE_MS = 5_000;
const MIN_REAL_SILENCE_MS = 1_000;
/**
 * Enough for about 23,000 records in transit while this process is busy; more would wait in the server and delay other
 * readers.
 */
const FLOW_CONTROL_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Reads the certificate files, connects, and waits until Goldmane has accepted the client (at most 20 s of the clock).
 * Throws GoldmaneFailure, or the signal's reason.
 */
export async function connectGoldmane(
  target: GoldmaneConfig,
  { clock, signal }: ConnectOptions,
): Promise<GoldmaneConnection> {
  signal.throwIfAborted();
  const certificates = await readCertificates(target);
  const timeoutMs = realDeadlineMs(clock, CONNECT_DEADLINE_MS);
  const deadlineMs = Date.now() + timeoutMs;
  await tryHandshake(target, certificates, { timeoutMs, signal });
  const client = createClient(target, certificates);
  try {
    await ready(client, deadlineMs, signal);
  } catch (error) {
    client.close();
    signal.throwIfAborted();
    throw goldmaneFailure({
      kind: 'timeout',
      what: `Goldmane at ${target.host} accepted the certificate, but the connection failed (${error instanceof Error ? error.message : 'unknown error'})`,
      cure: 'The next attempt opens a new connection; if this persists, check the logs of Goldmane',
      bundle: certificates.bundle,
    });
  }
  return new GrpcConnection(client, target, certificates, clock);
}

/** A client that connects on first use. */
export function createClient(target: GoldmaneConfig, certificates: Certificates): Client {
  const options: ClientOptions = {
    'grpc.max_receive_message_length': target.maxReceiveBytes,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    // No shared connections: different certificates need different connections.
    'grpc.use_local_subchannel_pool': 1,
    // Callers retry, because retrying depends on the kind of failure.
    'grpc.enable_retries': 0,
    'grpc.initial_reconnect_backoff_ms': 250,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    // The handshake connects to Goldmane directly, so the channel must not use a proxy.
    'grpc.enable_http_proxy': 0,
    ...(target.serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': target.serverName, 'grpc.default_authority': target.serverName }),
  };
  const { ca, key, cert } = certificates;
  const verification = target.insecure ? { rejectUnauthorized: false } : {};
  return new Client(target.host, credentials.createSsl(ca, key, cert, verification), options);
}

/** Resolves when the channel is connected. */
function ready(client: Client, deadlineMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    client.waitForReady(deadlineMs, (error) => {
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    });
  });
}

class GrpcConnection implements GoldmaneConnection {
  readonly bundle: CertificateBundle;
  readonly #client: Client;
  readonly #target: GoldmaneConfig;
  readonly #certificates: Certificates;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #isLost: boolean;

  constructor(client: Client, target: GoldmaneConfig, certificates: Certificates, clock: Clock) {
    this.#client = client;
    this.#target = target;
    this.#certificates = certificates;
    this.#clock = clock;
    this.bundle = certificates.bundle;
    const channel = client.getChannel();
    this.#isLost = channel.getConnectivityState(false) !== connectivityState.READY;
    channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => {
      this.#isLost = true;
    });
  }

  async list(startSeconds: number, signal: AbortSignal): Promise<Buffer> {
    const request = encodeListRequest(startSeconds);
    const timeoutMs = realDeadlineMs(this.#clock, LIST_DEADLINE_MS);
    return this.#call('List', signal, (ended) =>
      callUnary(this.#client, LIST_PATH, request, { timeoutMs, signal: ended }),
    );
  }

  async askClock(signal: AbortSignal): Promise<number | undefined> {
    const timeoutMs = realDeadlineMs(this.#clock, LIST_DEADLINE_MS);
    return this.#call('List', signal, async (ended) => {
      try {
        await callUnary(this.#client, LIST_PATH, LIST_NOTHING, { timeoutMs, signal: ended });
        return undefined;
      } catch (error) {
        if (!(error instanceof CallError) || !refusals.has(error.code)) throw error;
        return clockInRefusal(error.details);
      }
    });
  }

  async stream(handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
    const limits = {
      silenceMs: Math.max(this.#clock.realMs(SILENCE_MS), MIN_REAL_SILENCE_MS),
      answerMs: realDeadlineMs(this.#clock, SIGN_OF_LIFE_MS),
    };
    try {
      await this.#call('Stream', signal, (ended) =>
        followStream(this.#client, handlers, { ...limits, signal: ended }),
      );
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  close(): void {
    this.#closing.abort(new CallError(status.CANCELLED, 'we closed it'));
    this.#client.close();
  }

  /** The channel would reconnect silently, possibly to a new server run. */
  #throwIfLost(): void {
    if (this.#isLost) throw new CallError(status.UNAVAILABLE, 'No connection established: it was lost');
  }

  /** Runs a call that ends when `signal` aborts or the connection closes, and explains its failure. */
  async #call<Answer>(
    method: FailedCall['method'],
    signal: AbortSignal,
    run: (ended: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const linked = linkSignals([signal, this.#closing.signal]);
    try {
      linked.signal.throwIfAborted();
      this.#throwIfLost();
      const answer = await run(linked.signal);
      this.#throwIfLost();
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CallError)) throw error;
      // The channel does not say why it could not connect.
      if (/^No connection established|^Name resolution failed/.test(error.details))
        await tryHandshake(this.#target, this.#certificates, { timeoutMs: MIN_REAL_DEADLINE_MS, signal });
      const { host, maxReceiveBytes } = this.#target;
      throw explainCallError(error, {
        method,
        host,
        maxReceiveBytes,
        bundle: this.bundle,
        deadlineMs: LIST_DEADLINE_MS,
      });
    } finally {
      linked.unlink();
    }
  }
}

function realDeadlineMs(clock: Clock, ms: number): number {
  return Math.max(clock.realMs(ms), MIN_REAL_DEADLINE_MS);
}
