import { isIP } from 'node:net';

export type IpVersion = 4 | 6;

/** First and last address, as numbers of one IP version. */
export type AddressRange = readonly [first: bigint, last: bigint];

const bitsOf = { 4: 32, 6: 128 } as const;

/** A range in CIDR notation, or a single address. */
export interface Net {
  readonly version: IpVersion;
  /** Bits that all its addresses have in common. */
  readonly prefix: number;
  readonly range: AddressRange;
  /** Whether it is written as a range, and not as an address alone. */
  readonly hasLength: boolean;
  /** The same range as Calico writes it, for example 10.0.0.0/8 for 10.1.2.3/8. */
  readonly masked: string;
  /** Whether no bit after the prefix is set. */
  readonly isMasked: boolean;
}

/** Reads `10.0.0.0/8`, `10.1.2.3` or `fd00::/8`; undefined if Go's net.ParseCIDR and net.ParseIP reject it. */
export function parseNet(text: string): Net | undefined {
  const [, address = '', length] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version !== 4 && version !== 6) return undefined;
  const bits = bitsOf[version];
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const value = version === 4 ? numberOfIpv4(address) : numberOfIpv6(address);
  const size = 1n << BigInt(bits - prefix);
  const first = value - (value % size);
  return {
    version,
    prefix,
    range: [first, first + size - 1n],
    hasLength: length !== undefined,
    masked: `${first === value ? address : version === 4 ? textOfIpv4(first) : textOfIpv6(first)}/${prefix}`,
    isMasked: first === value,
  };
}

function numberOfIpv4(address: string): bigint {
  return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function textOfIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function numberOfIpv6(address: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const embedded = dotted?.[2] === undefined ? undefined : numberOfIpv4(dotted[2]);
  const text =
    embedded === undefined
      ? address
      : `${dotted?.[1] ?? ''}${(embedded >> 16n).toString(16)}:${(embedded & 65_535n).toString(16)}`;
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function textOfIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) => (value >> BigInt(112 - 16 * at)) & 65_535n);
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
}
