import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { configFailure, type ConfigFailure } from '../config/config-failure.ts';

export interface Health {
  /** Why the worker cannot take work; undefined when it is polling. */
  notReady(): string | undefined;
  /** The health report as text; undefined before it can be made. @throws nothing */
  report(): Promise<string> | undefined;
}

/**
 * /healthz answers while the event loop turns, whatever the worker depends on is doing: restarting it cures nothing there.
 * /readyz says whether the worker polls for work; /readyz?verbose adds the report of `flow-trail health`, which does not
 * decide the answer's status.
 */
export async function serveHealth(health: Health, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) =>
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://worker');
    switch (pathname) {
      case '/healthz':
        return answer(200, 'ok');
      case '/readyz': {
        const reason = health.notReady();
        const [status, text]: [number, string] =
          reason === undefined ? [200, 'ready'] : [503, `not ready: ${reason}`];
        const report = searchParams.has('verbose') ? health.report() : undefined;
        if (!report) return answer(status, text);
        return void report.then((lines) => answer(status, `${text}\n\n${lines}`));
      }
      default:
        return answer(404, 'there is /healthz and /readyz; /metrics has a port of its own');
    }
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw portProblem('HTTP_PORT', host, port, error);
  }
  return server;
}

/** Why nobody can listen there, in the words of a wrong setting. */
export function portProblem(name: string, host: string, port: number, error: unknown): ConfigFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return configFailure([
    `${name} ${port} cannot be listened on at ${host} (${reason}); free the port, give another, or correct LISTEN_HOST`,
  ]);
}

/** `host:port` of one text; the colons of an IPv6 address are told from the port's by brackets (RFC 3986, 3.2.2). */
export function socketAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
