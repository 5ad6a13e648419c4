import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { errorCode } from '../src/failure/thrown.ts';

const LOOPBACK = '127.0.0.1';

/** The port of a server that listens on TCP. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}

/** Makes a server listen on loopback. @returns its port; with 0, the system chooses it */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
  return portOf(server);
}

/** A free TCP port on loopback, chosen by the system. */
export function freePort(): Promise<number> {
  return probe(0);
}

/** Whether nothing listens on this port, neither on loopback nor on all addresses. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await probe(port);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE' || errorCode(error) === 'EACCES') return false;
    throw error;
  }
}

/**
 * The preferred port if it is free, otherwise the next free one above it. Ports in `taken` are skipped, and the result is
 * added, so that servers starting at the same time do not choose the same port.
 */
export async function preferredPort(wanted: number, taken: Set<number>): Promise<number> {
  for (let port = wanted; port < Math.min(wanted + 100, 65_536); port++) {
    if (!taken.has(port) && (await isPortFree(port))) {
      taken.add(port);
      return port;
    }
  }
  const port = await freePort();
  taken.add(port);
  return port;
}

function probe(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.unref();
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const bound = portOf(server);
      server.close(() => resolve(bound));
    });
  });
}
