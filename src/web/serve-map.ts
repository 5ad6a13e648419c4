import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { daySeconds } from '../time/units.ts';
import { isNamespaceName } from '../text/kubernetes-names.ts';
import { isFailure } from '../failure/failure.ts';
import type { HealthReport } from '../reports/health/report.ts';
import type { MapChanges, MapData, MapRun, NamespaceDetail } from '../queries/map-data.ts';
import type { Incident } from '../policy/incident.ts';
import { listenBounded } from './bounded-server.ts';
import { acceptsGzip, compress } from './compression.ts';
import type { MapPage } from './map-page.ts';

/** The queries of the page. */
export interface MapSource {
  readMap(): Promise<Omit<MapData, 'isFile'>>;
  readNamespace(name: string): Promise<NamespaceDetail>;
  /** The staged egress policy of a namespace as YAML; undefined if nothing was observed. */
  readAllowlist(name: string): Promise<string | undefined>;
  readRuns(): Promise<MapRun[]>;
  readIncident(name: string, fromSeconds: number, toSeconds: number): Promise<Incident>;
  readChanges(from: Date, to: Date): Promise<MapChanges>;
  readHealth(): Promise<HealthReport>;
}

interface MapServerOptions {
  page: MapPage;
  source: MapSource;
  host: string;
  port: number;
  /** Host names, from MAP_URL, that requests may use in addition to addresses and localhost. */
  hostNames: readonly string[];
  onError: (error: unknown) => void;
}

/**
 * All requests within this time share one database read, so that many open pages load the database no more than one.
 */
const freshMs = 5_000;
/** Longer periods require the command line, because their results are too long for a page. */
const maxIncidentDays = 31;
/** Bytes. Shorter bodies fit into one packet or little more, so compressing them saves nothing. */
const compressedFrom = 2_048;

/** Serves the map, read-only: GET requests only. @throws the error of `listen` */
export async function serveMap(options: MapServerOptions): Promise<Server> {
  const { host, port, page } = options;
  const readMap = shared(() => options.source.readMap(), freshMs);
  const readHealth = shared(() => options.source.readHealth(), freshMs);
  const compressPage = shared(() => compress(page.html), Number.POSITIVE_INFINITY);
  return listenBounded(
    (request, response) => {
      answer(request, response, options, { readMap, readHealth, compressPage }).catch((error: unknown) => {
        options.onError(error);
        // The message of a known failure can be shown; any other error goes only to the log.
        const text = isFailure(error) ? error.message : 'The request failed; see the log of the worker.';
        send(response, 503, 'text/plain; charset=utf-8', `${text}\n`);
      });
    },
    host,
    port,
  );
}

/** What concurrent requests do once. */
interface SharedWork extends Pick<MapSource, 'readMap' | 'readHealth'> {
  compressPage: () => Promise<Buffer>;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { page, source, hostNames }: MapServerOptions,
  { readMap, readHealth, compressPage }: SharedWork,
): Promise<void> {
  if (!isOwnHost(request.headers.host, hostNames))
    return send(
      response,
      421,
      'text/plain; charset=utf-8',
      'Unknown host name. Set MAP_URL to the address under which this page is served.\n',
    );
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, 'text/plain; charset=utf-8', 'The map is read-only.\n');
  }
  const [path = '/', search = ''] = (request.url ?? '/').split('?');
  if (path === '/' || path === '/index.html') {
    response.setHeader('content-security-policy', page.policy);
    return sendCompressed(response, 'text/html; charset=utf-8', page.html, compressPage);
  }
  if (path === '/api/map') return sendJson(response, { ...(await readMap()), isFile: false });
  if (path === '/api/health') return sendJson(response, await readHealth());
  if (path === '/api/changes') {
    const period = periodOf(new URLSearchParams(search), Number.POSITIVE_INFINITY);
    if (period === undefined)
      return refuse(response, 'from and to must be ISO 8601 times, with from before to.');
    const [from, to] = [new Date(period.fromSeconds * 1000), new Date(period.toSeconds * 1000)];
    return sendJson(response, await source.readChanges(from, to));
  }
  if (path === '/api/runs') return sendJson(response, await source.readRuns());
  const [, name, rest] = /^\/api\/namespaces\/([^/]+)(\/allowlist|\/incident)?$/.exec(path) ?? [];
  const namespace = name === undefined ? undefined : decodeName(name);
  if (namespace !== undefined && rest === undefined)
    return sendJson(response, await source.readNamespace(namespace));
  if (namespace !== undefined && rest === '/incident') {
    const period = periodOf(new URLSearchParams(search), maxIncidentDays);
    if (period === undefined)
      return refuse(
        response,
        `from and to must be ISO 8601 times, with from before to, at most ${maxIncidentDays} days apart.`,
      );
    return sendJson(response, await source.readIncident(namespace, period.fromSeconds, period.toSeconds));
  }
  if (namespace !== undefined) {
    const policy = await source.readAllowlist(namespace);
    if (policy !== undefined) return sendCompressed(response, 'text/yaml; charset=utf-8', policy);
    return send(
      response,
      404,
      'text/plain; charset=utf-8',
      'No egress from this namespace was observed, so no policy can be derived.\n',
    );
  }
  return send(response, 404, 'text/plain; charset=utf-8', 'Not found. The map is at /.\n');
}

function refuse(response: ServerResponse, why: string): void {
  send(response, 400, 'text/plain; charset=utf-8', `${why}\n`);
}

function periodOf(
  params: URLSearchParams,
  maxDays: number,
): { fromSeconds: number; toSeconds: number } | undefined {
  const fromSeconds = Date.parse(params.get('from') ?? '') / 1000;
  const toSeconds = Date.parse(params.get('to') ?? '') / 1000;
  const lengthSeconds = toSeconds - fromSeconds;
  return lengthSeconds > 0 && lengthSeconds <= maxDays * daySeconds ? { fromSeconds, toSeconds } : undefined;
}

/**
 * Host names are checked against DNS rebinding: a website could point its own name at this address and read the trail.
 */
function isOwnHost(header: string | undefined, hostNames: readonly string[]): boolean {
  if (header === undefined || !URL.canParse(`http://${header}`)) return false;
  const { hostname } = new URL(`http://${header}`);
  const name = hostname.replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0 || hostNames.includes(name);
}

/** Namespaces are DNS labels (RFC 1123). */
function decodeName(text: string): string | undefined {
  return isNamespaceName(text) ? text : undefined;
}

function sendJson(response: ServerResponse, value: unknown): Promise<void> {
  return sendCompressed(response, 'application/json; charset=utf-8', JSON.stringify(value));
}

/** Sends a body with status 200, compressed if that is worthwhile and the client accepts it. */
async function sendCompressed(
  response: ServerResponse,
  type: string,
  body: string,
  compressed = () => compress(body),
): Promise<void> {
  response.setHeader('vary', 'accept-encoding');
  if (body.length < compressedFrom || !acceptsGzip(response.req.headers['accept-encoding']))
    return send(response, 200, type, body);
  const bytes = await compressed();
  response.setHeader('content-encoding', 'gzip');
  send(response, 200, type, bytes);
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
    .end(response.req.method === 'HEAD' ? undefined : body);
}

/** Calls `read` at most once per `forMs`; a failure is not kept. */
function shared<Value>(read: () => Promise<Value>, forMs: number): () => Promise<Value> {
  let latest: { value: Promise<Value>; atMs: number } | undefined;
  return () => {
    const nowMs = performance.now();
    if (latest && nowMs - latest.atMs < forMs) return latest.value;
    const value = read();
    const mine = { value, atMs: nowMs };
    latest = mine;
    value.catch(() => {
      if (latest === mine) latest = undefined;
    });
    return value;
  };
}
