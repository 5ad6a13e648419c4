import { isIP } from 'node:net';

/** The parts of `host:port`. An IPv6 address is written in brackets, and returned without them. */
interface Address {
  host: string;
  port: number;
}

/** @returns undefined if the text is not host:port */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !isHost(host) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

/** Whether the text is an IP address without brackets, or a DNS name. Underscores occur in names of containers. */
export function isHost(text: string): boolean {
  return (
    isIP(text) !== 0 ||
    (text.length <= 253 && /^[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_])?\.?$/u.test(text))
  );
}
