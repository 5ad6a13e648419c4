import { errorCode, errorLine } from '../failure/thrown.ts';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ClientConnectConfig } from '@temporalio/envconfig';

const dialTimeoutMs = 3_000;
/**
 * If we sent bytes that a server never reads because it rejects us, its system would send a reset, which can overtake the TLS alert.
 */
const prefaceDelayMs = 500;
const defaultPort = 7_233;

type DialResult =
  | { step: 'dns' | 'tcp' | 'tls'; code: string; message: string }
  /** The server accepts connections, so the failure is above TLS. */
  | { step: 'connected' };

/** Connects as the client does, to find out which step fails: the client itself reports only a timeout. */
export async function dial(options: ClientConnectConfig['connectionOptions']): Promise<DialResult> {
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(options.address ?? 'localhost');
  const host = match?.[1] ?? 'localhost';
  const port = Number(match?.[2] ?? defaultPort);
  try {
    await lookup(host);
  } catch (error) {
    return { step: 'dns', ...reasonOf(error) };
  }
  try {
    await tcp(host, port);
  } catch (error) {
    return { step: 'tcp', ...reasonOf(error) };
  }
  if (!options.tls) return { step: 'connected' };
  const { serverRootCACertificate, clientCertPair, serverNameOverride } =
    options.tls === true ? {} : options.tls;
  const name = serverNameOverride ?? host;
  try {
    await tls({
      host,
      port,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ALPNProtocols: ['h2'],
      ...(serverRootCACertificate ? { ca: Buffer.from(serverRootCACertificate) } : {}),
      ...(clientCertPair
        ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }
        : {}),
    });
    return { step: 'connected' };
  } catch (error) {
    return { step: 'tls', ...reasonOf(error) };
  }
}

function tcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, timeout: dialTimeoutMs });
    const end = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.once('connect', () => end(resolve));
    socket.once('timeout', () => end(() => reject(timedOut())));
    socket.once('error', reject);
  });
}

/** TLS 1.3 reports a rejected client certificate only after the handshake, so this waits for the server's first bytes. */
function tls(options: ConnectionOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...options, timeout: dialTimeoutMs });
    let preface: NodeJS.Timeout | undefined;
    const end = (settle: () => void) => {
      clearTimeout(preface);
      socket.destroy();
      settle();
    };
    // A client preface and an empty SETTINGS frame (RFC 9113, 3.4): an HTTP/2 server responds with its own.
    socket.once('secureConnect', () => {
      preface = setTimeout(
        () =>
          socket.write(
            Buffer.from('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000', 'hex'),
          ),
        prefaceDelayMs,
      );
    });
    socket.once('data', () => end(resolve));
    socket.once('timeout', () => end(() => reject(timedOut())));
    // `on`, not `once`: a socket may fail again while it is being destroyed.
    socket.on('error', (error) => end(() => reject(error)));
    socket.once('close', () => end(() => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))));
  });
}

function timedOut(): Error {
  return Object.assign(new Error('no response'), { code: 'ETIMEDOUT' });
}

function reasonOf(error: unknown): { code: string; message: string } {
  const message = errorLine(error);
  return { code: errorCode(error, message), message };
}
