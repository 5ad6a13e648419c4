import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip, unzip } from 'node:zlib';
import type { ExportConfig } from '../config/export-config.ts';
import { errorCode } from '../failure/thrown.ts';
import { printable } from '../text/printable.ts';
import { readCredentials, type ReceiverCredentials } from './credentials.ts';
import { receiverFailure } from './failure.ts';
import { readErrorText, readSuccess } from './otlp-message.ts';
import { connectionFailure, retryAfterMs } from './receiver-errors.ts';

/** The result of a request. */
export type Answer =
  /** It accepted all records except `rejected` ones, which must not be sent again. */
  | { status: 'accepted'; rejected: number; message: string }
  /** 413: a request with fewer records may succeed. */
  | { status: 'too_large'; message: string }
  /** 400: one of its records may be the cause. */
  | { status: 'invalid'; message: string };

const zip = promisify(gzip);
const unzipped = promisify(unzip);
/** Maximum size of a response; a longer one is not an OTLP response. */
const maxResponseBytes = 64 * 1024;
const shownMessage = 300;
/** Errors of a reused connection that the receiver closed before it read the request. */
const closedCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
const busyStatus: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends requests to one OTLP/HTTP endpoint, one at a time, over a persistent connection. Headers, CA and client certificate are read
 * for each request; a changed CA or certificate causes a new connection.
 */
export class Receiver {
  readonly #config: ExportConfig;
  readonly #url: URL;
  #agent: HttpAgent | undefined;
  #agentKey = '';

  constructor(config: ExportConfig) {
    this.#config = config;
    this.#url = new URL(config.url);
  }

  /** host:port. The rest of the address may contain a secret. */
  get name(): string {
    return this.#url.host;
  }

  /**
   * @param body an ExportLogsServiceRequest, protobuf
   * @throws ReceiverFailure; the signal's reason
   */
  async send(body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    const credentials = await readCredentials(this.#config);
    const isZipped = this.#config.compression === 'gzip';
    const content = isZipped ? await zip(body) : body;
    const limit = AbortSignal.timeout(this.#config.timeoutMs);
    const ended = AbortSignal.any([signal, limit]);
    try {
      const post = () => this.#post(content, credentials, isZipped, ended);
      const response = await post().catch((error: unknown) => {
        if (error instanceof ClosedWhileIdle) return post();
        throw error;
      });
      return await this.#read(response);
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted)
        throw receiverFailure({
          kind: 'timeout',
          what: `the receiver ${this.name} did not respond within ${this.#config.timeoutMs / 1000} s`,
          cure: 'Check its load, or give it more time with a larger OTLP_LOGS_TIMEOUT_SECONDS or a smaller OTLP_LOGS_BATCH_RECORDS',
        });
      throw connectionFailure(this.name, this.#url.protocol, error);
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
    this.#agentKey = '';
  }

  #post(
    content: Uint8Array,
    credentials: ReceiverCredentials,
    isZipped: boolean,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send(
        this.#url,
        {
          method: 'POST',
          agent: this.#agentOf(credentials),
          headers: {
            ...credentials.headers,
            'content-type': 'application/x-protobuf',
            'content-length': content.length,
            ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
          },
          signal,
        },
        resolve,
      );
      request.on('error', (error) => {
        const isClosed = request.reusedSocket && closedCodes.has(errorCode(error, ''));
        reject(isClosed ? new ClosedWhileIdle({ cause: error }) : error);
      });
      request.on('upgrade', (_response, socket) => {
        socket.destroy();
        reject(
          receiverFailure({
            kind: 'not_otlp',
            what: `the receiver ${this.name} switches to another protocol (status 101)`,
            cure: 'Check OTLP_LOGS_ENDPOINT, and proxies in between',
          }),
        );
      });
      // Node reports some endings only by this event; without it, the promise would never settle.
      request.on('close', () => reject(new Error('the connection was closed without a response')));
      request.end(content);
    });
  }

  #agentOf({ ca, cert, key }: ReceiverCredentials): HttpAgent {
    const agentKey = JSON.stringify([ca, cert, key]);
    if (!this.#agent || agentKey !== this.#agentKey) {
      this.close();
      const options = { keepAlive: true, maxSockets: 1 };
      this.#agent =
        this.#url.protocol === 'https:'
          ? new HttpsAgent({ ...options, ca, cert, key })
          : new HttpAgent(options);
      this.#agentKey = agentKey;
    }
    return this.#agent;
  }

  async #read(response: IncomingMessage): Promise<Answer> {
    const status = response.statusCode ?? 0;
    const isSuccess = status >= 200 && status < 300;
    // The status of an error is sufficient, even if the connection ends before its body.
    const body = await readBody(response).catch((error: unknown) => {
      if (isSuccess) throw error;
      return Buffer.alloc(0);
    });
    const type = response.headers['content-type'] ?? '';
    if (isSuccess) {
      const success = body && readSuccess(body, type);
      if (success)
        return { status: 'accepted', rejected: success.rejected, message: shortText(success.message) };
      throw receiverFailure({
        kind: 'not_otlp',
        what: `the receiver ${this.name} returned status ${status} with a body that is not an OTLP response (${type === '' ? 'no content type' : shortText(type)})`,
        cure: 'Check OTLP_LOGS_ENDPOINT; a proxy or a login page may be in between',
      });
    }
    const said = body ? shortText(readErrorText(body, type)) : '';
    if (status === 413) return { status: 'too_large', message: said };
    if (status === 400) return { status: 'invalid', message: said };
    const reason = said === '' ? '' : ` (${said})`;
    if (busyStatus.has(status))
      throw receiverFailure({
        kind: 'busy',
        what: `the receiver ${this.name} is temporarily unavailable: it returned status ${status}${reason}`,
        cure: 'Records are sent again after the requested delay; if this persists, give the receiver more capacity',
        retryAfterMs: retryAfterMs(response.headers['retry-after'], Date.now()),
      });
    throw receiverFailure({
      kind: 'refused',
      what: `the receiver ${this.name} rejects requests with status ${status}${reason}`,
      cure: cureOf(status),
    });
  }
}

function shortText(text: string): string {
  return printable(text.slice(0, shownMessage));
}

function cureOf(status: number): string {
  if (status === 401 || status === 403)
    return 'Correct the token in OTLP_LOGS_HEADERS_FILE, or the client certificate; both are read again at the next attempt';
  if (status === 404 || status === 405)
    return 'Correct the path in OTLP_LOGS_ENDPOINT: /v1/logs for a Collector, /otlp/v1/logs for Loki';
  if (status >= 300 && status < 400)
    return 'Set OTLP_LOGS_ENDPOINT to the address that it redirects to; headers are never sent to a redirect target';
  return 'Check the log of the receiver';
}

/** @returns undefined if the body is compressed (which the request does not ask for) and cannot be read, or expands beyond the limit */
async function readBody(response: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxResponseBytes) response.destroy();
    else chunks.push(chunk);
  });
  await finished(response).catch((error: unknown) => {
    if (length <= maxResponseBytes) throw error;
  });
  const body = Buffer.concat(chunks);
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || body.length === 0) return body;
  return unzipped(body, { maxOutputLength: maxResponseBytes }).catch(() => undefined);
}

class ClosedWhileIdle extends Error {
  override readonly name = 'ClosedWhileIdle';

  constructor(options: ErrorOptions) {
    super('the receiver closed the connection before the request', options);
  }
}
