/** `host:port` taken apart; an IPv6 address stands in brackets, and comes without them. */
export interface Address {
  host: string;
  port: number;
}

/** @returns undefined for what is not host:port */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}
