import { Buffer } from 'node:buffer';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { errorCode } from '../failure/thrown.ts';
import { parseAddress } from '../text/address.ts';
import type { Certificates } from './certificates.ts';
import { goldmaneFailure } from './failure.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';
import { explainDialError, type DialError } from './dial-failure.ts';

/** RFC 9113, 3.4: the client preface, and an empty SETTINGS frame. */
const CLIENT_PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const FRAME_HEADER_BYTES = 9;
const SETTINGS_FRAME = 4;
/** Some servers send nothing before the client does. */
const PREFACE_DELAY_MS = 2_000;

export interface HandshakeLimits {
  /** Real milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Connects to Goldmane as the gRPC channel will, and closes the connection once the server has accepted the client. A
 * channel reports only that it is unavailable; this reports why. In TLS 1.3, the client's handshake ends before the
 * server has checked the client certificate, so this waits for the server's first frame. Throws GoldmaneFailure, or the
 * signal's reason.
 */
export async function tryHandshake(
  target: GoldmaneConfig,
  certificates: Certificates,
  { timeoutMs, signal }: HandshakeLimits,
): Promise<void> {
  signal.throwIfAborted();
  const address = parseAddress(target.host);
  if (!address)
    throw goldmaneFailure({
      kind: 'dns',
      what: `${target.host} is not host:port`,
      cure: 'Set GOLDMANE_HOST, for example to goldmane.calico-system.svc.cluster.local:7443',
      bundle: certificates.bundle,
    });
  const serverName = target.serverName ?? address.host;
  const socket = connect({
    ...address,
    ca: certificates.ca,
    cert: certificates.cert,
    key: certificates.key,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: !target.insecure,
    ...identity(serverName),
  });
  let wasSecure = false;
  socket.once('secureConnect', () => (wasSecure = true));
  try {
    await settled(socket, timeoutMs, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw explainDialError(toDialError(error, wasSecure), { ...target, serverName }, certificates);
  } finally {
    socket.destroy();
  }
}

/**
 * A name is sent as SNI and checked; an address is only checked, because SNI does not allow addresses (RFC 6066,
 * section 3).
 */
function identity(serverName: string): ConnectionOptions {
  return {
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
  };
}

/** Resolves when the server's SETTINGS arrive; rejects if anything else arrives. */
function settled(socket: TLSSocket, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const deadline = setTimeout(() => reject(dialError('ETIMEDOUT', 'no response in time')), timeoutMs);
    let preface: NodeJS.Timeout | undefined;
    const onAbort = () => reject(dialError('ABORT_ERR', 'aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') reject(dialError('ERR_NOT_HTTP2', 'no h2 in ALPN'));
      // If we sent bytes that a server never reads because it rejects us, its system would send a reset, which can
      // overtake the TLS alert.
      preface = setTimeout(() => socket.write(CLIENT_PREFACE), Math.min(PREFACE_DELAY_MS, timeoutMs / 2));
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < FRAME_HEADER_BYTES) return;
      if (received[3] === SETTINGS_FRAME) resolve();
      else reject(dialError('ERR_NOT_HTTP2', 'the first frame is not SETTINGS'));
    });
    // Never removed: another error while the socket is being destroyed must not end the process.
    socket.on('error', reject);
    socket.once('end', () => reject(dialError('ECONNRESET', 'closed by the server')));
    socket.once('close', () => {
      clearTimeout(deadline);
      clearTimeout(preface);
      signal.removeEventListener('abort', onAbort);
      reject(dialError('ECONNRESET', 'closed'));
    });
  });
}

class HandshakeError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'HandshakeError';
    this.code = code;
  }
}

function dialError(code: string, message: string): HandshakeError {
  return new HandshakeError(code, message);
}

function toDialError(error: unknown, wasSecure: boolean): DialError {
  const first = error instanceof AggregateError ? mostInformative(error.errors) : error;
  if (!(first instanceof Error)) return { code: '', message: 'unknown error', wasSecure };
  const code = 'code' in first && typeof first.code === 'string' ? first.code : '';
  return { code, message: first.message, wasSecure, names: namesOf(first) };
}

/** If a name has several addresses, a refused connection is more informative than a missing route. */
function mostInformative(errors: readonly unknown[]): unknown {
  const refused = errors.find((error) => errorCode(error) === 'ECONNREFUSED');
  return refused ?? errors[0];
}

function namesOf(error: Error): string | undefined {
  if (!('cert' in error) || typeof error.cert !== 'object' || error.cert === null) return undefined;
  if (!('subjectaltname' in error.cert) || typeof error.cert.subjectaltname !== 'string') return undefined;
  return error.cert.subjectaltname.slice(0, 500);
}
