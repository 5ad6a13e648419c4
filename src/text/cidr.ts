import { isIP } from 'node:net';

const narrowest = { 4: 32, 6: 128 } as const;
/** A baseline address is a single address or a small range, never a large part of the Internet. */
const widest = { 4: 8, 6: 32 } as const;

/** Error text for a setting or option that lists addresses, with an example of a valid value. */
export const addressProblem =
  'is not an IP address or a range in CIDR notation from /8 (IPv6: /32); for example 10.96.0.10/32';

/**
 * An address (`10.96.0.10`) or a range (`10.96.0.0/24`) as a CIDR; undefined if Kubernetes or Calico would reject it,
 * or if it is wider than /8 (IPv6: /32). Also rejected: IPv4-mapped IPv6, zone indices, and leading zeros. Source: Go's
 * net.ParseCIDR, which both use, and Kubernetes' strict validation of addresses.
 */
export function parseNarrowCidr(text: string): string | undefined {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version !== 4 && version !== 6) return undefined;
  if (version === 6 && isMappedIpv4(address)) return undefined;
  const length = bits === undefined ? narrowest[version] : Number(bits);
  if (length < widest[version] || length > narrowest[version]) return undefined;
  return `${address}/${length}`;
}

function isMappedIpv4(address: string): boolean {
  return /^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(new URL(`http://[${address}]`).hostname);
}
