import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { X509Certificate } from 'node:crypto';
import { parseAddress } from '../text/address.ts';
import type { HandshakeLimits } from './handshake.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';

/** The certificates that a server presents: its own, and the rest of the chain. */
interface ShownChain {
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
}

const maxChain = 10;

/**
 * Reads the certificate that Goldmane presents, regardless of who signed it, and closes the connection. It sends
 * nothing and presents no client certificate; the result proves nothing about the server. Undefined if no certificate
 * was presented.
 */
export function readServerCertificate(
  target: Pick<GoldmaneConfig, 'host' | 'serverName'>,
  { timeoutMs, signal }: HandshakeLimits,
): Promise<ShownChain | undefined> {
  const address = parseAddress(target.host);
  if (!address || signal.aborted) return Promise.resolve(undefined);
  const serverName = target.serverName ?? address.host;
  const socket = connect({
    ...address,
    ALPNProtocols: ['h2'],
    // Only read here; the real handshake verifies.
    rejectUnauthorized: false,
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  });
  return new Promise((resolve) => {
    const end = (shown?: ShownChain) => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(shown);
    };
    const onAbort = () => end();
    const deadline = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate();
      end(leaf && { leaf, chain: above(leaf) });
    });
    // Never removed: another error may follow while the socket is being destroyed.
    socket.on('error', onAbort);
    socket.once('close', onAbort);
  });
}

function above(leaf: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = leaf.issuerCertificate;
  while (next && chain.length < maxChain) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
