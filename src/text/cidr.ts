import { parseNet } from './net.ts';

/** A baseline address is a single address or a small range, never a large part of the Internet. */
const widest = { 4: 8, 6: 32 } as const;

/** Error text for a setting or option that lists addresses, with an example of a valid value. */
export const addressProblem =
  'is not an IP address or a range of /8 or smaller (IPv6: /32) that begins with its first address; use, for example, 10.96.0.10 or 10.96.0.0/24';

/**
 * An address (`10.96.0.10`) or a range (`10.96.0.0/24`) as a CIDR; undefined if Kubernetes or Calico would reject it,
 * or if it is wider than /8 (IPv6: /32). Also rejected: IPv4-mapped IPv6, zone indices, leading zeros, and bits after
 * the prefix: `10.96.0.10/8` would allow all of 10/8. Source: Go's net.ParseCIDR, which both use, and Kubernetes' strict
 * validation of addresses.
 */
export function parseNarrowCidr(text: string): string | undefined {
  const net = parseNet(text);
  if (net === undefined || !net.isMasked || net.prefix < widest[net.version]) return undefined;
  const [address = '', length] = text.split('/');
  if (length !== undefined && length !== String(net.prefix)) return undefined;
  if (net.version === 6 && isMappedIpv4(address)) return undefined;
  return `${address}/${net.prefix}`;
}

function isMappedIpv4(address: string): boolean {
  return /^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(new URL(`http://[${address}]`).hostname);
}
