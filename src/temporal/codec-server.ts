import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { isEncrypted, type EncryptionCodec } from './codec.ts';

export interface CodecServerOptions {
  codec: EncryptionCodec;
  host: string;
  port: number;
  /** Origins of Temporal UIs, for example `http://127.0.0.1:8233`. */
  origins: readonly string[];
  /** If undefined, only browsers with an allowed origin are served. */
  token: string | undefined;
  /** The address is reachable from other machines, which can send any Origin, so browsers need the token, too. */
  requiresToken: boolean;
  /** Called for a payload that cannot be decrypted. */
  onFailure: (error: unknown) => void;
}

/** A page of a history has at most a few megabytes. */
const maxBodyBytes = 32 * 1024 * 1024;
const clientTimeoutMs = 15_000;

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const request = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() }))
    .default([]),
});

/** Serves Temporal's remote codec protocol, with which UI and CLI encode and decode payloads: POST /encode and
 * /decode with `{"payloads": [{"metadata": {"encoding": "<base64>"}, "data": "<base64>"}]}`; the response has the
 * same shape.
 * @throws the error of `listen`
 */
export async function serveCodec(options: CodecServerOptions): Promise<Server> {
  const limits = { requestTimeout: clientTimeoutMs, headersTimeout: clientTimeoutMs };
  const server = createServer(limits, (incoming, response) => {
    answer(incoming, response, options).catch((error: unknown) => {
      options.onFailure(error);
      if (!response.headersSent) send(response, 500, 'The codec server failed; check its output.');
      else response.destroy();
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return server;
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: CodecServerOptions,
): Promise<void> {
  const { origin } = incoming.headers;
  response.setHeader('vary', 'Origin');
  if (origin !== undefined) {
    if (!options.origins.includes(origin))
      return send(
        response,
        403,
        `The origin is not allowed; start the codec server with --ui-origin ${shown(origin)}`,
      );
    allowOrigin(response, origin);
  }
  // A browser's preflight has no Authorization header.
  if (incoming.method === 'OPTIONS') return void response.writeHead(204).end();
  const work = workOf(incoming.url, options.codec);
  if (!work) return send(response, 404, 'Not found; this server has /encode and /decode.');
  if (incoming.method !== 'POST') {
    response.setHeader('allow', 'POST, OPTIONS');
    return send(response, 405, 'Use POST.');
  }
  if (!isAllowed(incoming, options)) {
    response.setHeader('www-authenticate', 'Bearer');
    return send(
      response,
      401,
      options.token === undefined
        ? 'The request does not come from an allowed origin; for the CLI, start the codec server with --token-file.'
        : 'The Authorization header is missing or wrong; with the CLI use --codec-auth "Bearer <token>".',
    );
  }
  const body = await readBody(incoming);
  if (body === undefined) return send(response, 413, `The request is larger than ${maxBodyBytes} bytes.`);
  const payloads = parsePayloads(body);
  if (!payloads) return send(response, 400, 'The body is not a JSON object with payloads.');
  const done = await Promise.all(payloads.map((payload) => work(payload, options.onFailure)));
  response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify({ payloads: done.map(toJson) }));
}

function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader('access-control-allow-headers', 'Authorization, Content-Type, X-Namespace');
  response.setHeader('access-control-allow-credentials', 'true');
  // Chrome sends this preflight before a page from another network may reach loopback.
  response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('access-control-max-age', '600');
}

type Work = (payload: Payload, onFailure: (error: unknown) => void) => Promise<Payload>;

function workOf(url: string | undefined, codec: EncryptionCodec): Work | undefined {
  switch ((url ?? '').split('?')[0]) {
    case '/encode':
      // The UI may send back payloads that are already decoded.
      return async (payload) =>
        isEncrypted(payload) ? payload : one(await codec.encode([payload]), payload);
    case '/decode':
      // A payload whose key is missing does not prevent the others from being decoded.
      return async (payload, onFailure) => {
        try {
          return one(await codec.decode([payload]), payload);
        } catch (error) {
          onFailure(error);
          return payload;
        }
      };
    default:
      return undefined;
  }
}

function one([first]: Payload[], otherwise: Payload): Payload {
  return first ?? otherwise;
}

function isAllowed({ headers }: IncomingMessage, { token, requiresToken }: CodecServerOptions): boolean {
  // A web page cannot set the Origin header itself.
  if (headers.origin !== undefined && !requiresToken) return true;
  return token !== undefined && isEqual(headers.authorization ?? '', `Bearer ${token}`);
}

/** Takes the same time for every wrong value. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsePayloads(body: string): Payload[] | undefined {
  try {
    return request.parse(JSON.parse(body)).payloads.map(({ metadata, data }) => ({
      ...(metadata ? { metadata } : {}),
      ...(data ? { data } : {}),
    }));
  } catch {
    return undefined;
  }
}

function toJson({ metadata, data }: Payload): object {
  const encoded: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(metadata ?? {})) encoded[name] = base64Of(bytes);
  return { metadata: encoded, ...(data ? { data: base64Of(data) } : {}) };
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** Untrusted text, on one line. */
function shown(origin: string): string {
  return origin.replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
}
