import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { X509Certificate } from 'node:crypto';
import { parseAddress } from './address.ts';
import type { HandshakeLimits } from './handshake.ts';
import type { GoldmaneConfig } from '../config/config.ts';

/** What a server shows of itself: its own certificate, and those that it sends along. */
export interface ShownChain {
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
}

const maxChain = 10;

/**
 * Looks at the certificate that Goldmane shows, whoever signed it, and hangs up: nothing is sent, no certificate of ours
 * is shown, and nothing that it says is believed. Undefined when there was none to be seen.
 */
export function seeServerCertificate(
  target: Pick<GoldmaneConfig, 'host' | 'serverName'>,
  { timeoutMs, signal }: HandshakeLimits,
): Promise<ShownChain | undefined> {
  const address = parseAddress(target.host);
  if (!address || signal.aborted) return Promise.resolve(undefined);
  const serverName = target.serverName ?? address.host;
  const socket = connect({
    ...address,
    ALPNProtocols: ['h2'],
    // It is only looked at; the handshake that decides verifies.
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
    // For good: a socket may break once more while it is being destroyed.
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
