import { createServer } from 'node:net';
import { errorCode } from '../src/failure/thrown.ts';

const LOOPBACK = '127.0.0.1';

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
      const address = server.address();
      const bound = address !== null && typeof address === 'object' ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
