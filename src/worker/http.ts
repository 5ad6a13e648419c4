import {
  Agent,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { isIPv6 } from 'node:net';
import { text } from 'node:stream/consumers';
import { errorText } from '../failure/thrown.ts';
import { configFailure, type ConfigFailure } from '../config/config-failure.ts';
import { listenBounded } from '../web/bounded-server.ts';

interface Health {
  /** Why the worker cannot take work; undefined when it is polling. */
  notReady(): string | undefined;
  /** The health report as text. Never rejects. */
  report(): Promise<string>;
}

/** The exporter is on this machine and responds from memory. */
const metricsTimeoutMs = 5_000;
const exporterAgent = new Agent({ keepAlive: true });

/** /healthz responds while the event loop runs, regardless of the worker's dependencies, because a restart would not
 * fix those. /readyz says whether the worker polls for work; /readyz?verbose adds the report of `flow-trail health`,
 * which does not affect the status code.
 */
export function serveHealth(health: Health, host: string, port: number): Promise<Server> {
  return serve('HTTP_PORT', host, port, (request, response) => {
    const { pathname, searchParams } = pathOf(request.url);
    switch (pathname) {
      case '/healthz':
        return answer(response, 200, 'ok');
      case '/readyz': {
        const reason = health.notReady();
        const [status, text]: [number, string] =
          reason === undefined ? [200, 'ready'] : [503, `not ready: ${reason}`];
        if (!searchParams.has('verbose')) return answer(response, status, text);
        return void health.report().then((lines) => answer(response, status, `${text}\n\n${lines}`));
      }
      default:
        return answer(
          response,
          404,
          'not found; this port serves /healthz and /readyz, and /metrics has its own port',
        );
    }
  });
}

/**
 * /metrics. The SDK's exporter listens on the loopback address only: it never closes a half-open connection (measured with SDK
 * 1.24), so only this server is reachable from the network.
 */
export function serveMetrics(exporterPort: number, host: string, port: number): Promise<Server> {
  return serve('METRICS_PORT', host, port, (request, response) => {
    if (pathOf(request.url).pathname !== '/metrics')
      return answer(
        response,
        404,
        'not found; this port serves /metrics, and /healthz and /readyz have their own port',
      );
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response, 405, '/metrics supports only GET');
    readExporter(exporterPort).then(
      ({ type, text: metrics }) => response.writeHead(200, { 'content-type': type }).end(metrics),
      () => answer(response, 503, 'the exporter does not respond'),
    );
  });
}

/** With its own agent, and not `fetch`: with NODE_USE_ENV_PROXY, `fetch` and Node's agent would call the proxy. */
async function readExporter(port: number): Promise<{ type: string; text: string }> {
  const call = get({
    host: '127.0.0.1',
    port,
    path: '/metrics',
    agent: exporterAgent,
    signal: AbortSignal.timeout(metricsTimeoutMs),
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve).once('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return {
    type: response.headers['content-type'] ?? 'text/plain; version=0.0.4',
    text: await text(response),
  };
}

async function serve(name: string, host: string, port: number, listener: RequestListener): Promise<Server> {
  try {
    return await listenBounded(listener, host, port);
  } catch (error) {
    throw portProblem(name, host, port, error);
  }
}

/** A path such as `//` is not a valid URL and not one of our paths. */
function pathOf(url: string | undefined): { pathname: string; searchParams: URLSearchParams } {
  const [pathname = '/', search = ''] = (url ?? '/').split('?');
  return { pathname, searchParams: new URLSearchParams(search) };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** Why listening failed, as a settings error. */
function portProblem(name: string, host: string, port: number, error: unknown): ConfigFailure {
  const reason = errorText(error);
  return configFailure([
    `cannot listen on ${name} ${port} at ${host} (${reason}); free the port, set another one, or correct LISTEN_HOST`,
  ]);
}

/** `host:port`, with an IPv6 address in brackets (RFC 3986, 3.2.2). */
export function socketAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
