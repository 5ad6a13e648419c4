import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';

/** A connection that sends or reads nothing for so long, or takes so long to send its request, is closed. */
const idleMs = 15_000;
/** A request that is not answered and read completely by then is cut off, however it trickles. */
const requestMs = 25_000;
const checkIntervalMs = 2_000;
/** Of one server; further ones are closed at once. */
const maxConnections = 200;

interface Limits {
  idleMs: number;
  requestMs: number;
}

/**
 * An HTTP server that no slow or half-open client can occupy: every connection that makes no progress ends within 30 s.
 * @param limits for tests
 * @throws the error of `listen`
 */
export async function listenBounded(
  listener: RequestListener,
  host: string,
  port: number,
  limits: Limits = { idleMs, requestMs },
): Promise<Server> {
  const server = createServer(
    {
      headersTimeout: limits.idleMs,
      requestTimeout: limits.idleMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: Math.min(checkIntervalMs, limits.idleMs),
    },
    (request, response) => {
      const timer = setTimeout(() => request.socket.destroy(), limits.requestMs);
      response.once('close', () => clearTimeout(timer));
      // A body is of no use to any path; what is not read would keep the connection waiting.
      request.resume();
      listener(request, response);
    },
  );
  server.timeout = limits.idleMs;
  server.maxConnections = maxConnections;
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

/** Ends the server and all its connections. */
export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
