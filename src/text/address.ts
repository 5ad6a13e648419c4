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
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}
