import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';

/** A connection that sends or reads nothing for this long, or takes this long to send its request, is closed. */
const idleMs = 15_000;
/** Total time limit of a request and its response, even if bytes keep trickling. */
const requestMs = 25_000;
const checkIntervalMs = 2_000;
/** Connections per server; further ones are closed at once. */
const maxConnections = 200;

/**
 * An HTTP server that slow or half-open clients cannot block: every connection without progress is closed within 30 s.
 * @param host an address, a name, or `*` for all IPv4 addresses and, if the machine has IPv6, all IPv6 addresses
 * @throws the error of `listen`
 */
export async function listenBounded(listener: RequestListener, host: string, port: number): Promise<Server> {
  const server = createServer(
    {
      headersTimeout: idleMs,
      requestTimeout: idleMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: checkIntervalMs,
    },
    (request, response) => {
      const timer = setTimeout(() => request.socket.destroy(), requestMs);
      response.once('close', () => clearTimeout(timer));
      // No path uses a body, but an unread body would block the connection.
      request.resume();
      listener(request, response);
    },
  );
  server.timeout = idleMs;
  server.maxConnections = maxConnections;
  server.listen(host === '*' ? { port } : { port, host });
  await once(server, 'listening');
  return server;
}

/** Closes the server and all its connections. */
export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
