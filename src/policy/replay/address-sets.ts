import { isIPv4 } from 'node:net';
import type { EvidenceEnd } from '../derive/model.ts';
import type { Answer } from './answer.ts';

/** First and last IPv4 address, as numbers. */
type Range = readonly [number, number];

const everyAddress: readonly Range[] = [[0, 2 ** 32 - 1]];
/** Felix reports an address without a known endpoint as `pvt` inside these ranges and as `pub` outside. */
const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].flatMap(rangesOf);
const publicRanges = subtract(everyAddress, privateRanges);

/**
 * Whether an end's address is in one of the ranges. Addresses are not stored, but `pub` and `pvt` are known sets, and
 * every IPv4 address is in 0.0.0.0/0. Pods are assumed to have IPv4 addresses.
 * @param nets CIDRs or addresses
 */
export function isInNets(nets: readonly string[], end: EvidenceEnd, ownNets?: readonly string[]): Answer {
  const possible = ownNets === undefined ? possibleRanges(end) : ownNets.flatMap(rangesOf);
  const outside = subtract(possible, nets.flatMap(rangesOf));
  if (outside.length === 0) return 'yes';
  const hasIpv6 = nets.some((net) => net.includes(':'));
  // Part of `pub` is IPv6, and a pod may have an IPv6 address in addition to its IPv4 address.
  if (hasIpv6 && !isPrivate(end)) return 'unknown';
  return sizeOf(outside) === sizeOf(possible) ? 'no' : 'unknown';
}

/** Whether two lists of CIDRs have an address in common. */
export function overlap(a: readonly string[], b: readonly string[]): boolean {
  const ranges = a.flatMap(rangesOf);
  return sizeOf(subtract(ranges, b.flatMap(rangesOf))) !== sizeOf(ranges);
}

function possibleRanges(end: EvidenceEnd): readonly Range[] {
  if (end.kind === 'network' && end.identity === 'pub') return publicRanges;
  return isPrivate(end) ? privateRanges : everyAddress;
}

function isPrivate({ kind, identity }: EvidenceEnd): boolean {
  return kind === 'network' && identity === 'pvt';
}

/** Empty for IPv6. */
function rangesOf(net: string): Range[] {
  const [address = '', bits = '32'] = net.split('/');
  if (!isIPv4(address)) return [];
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const start = Math.floor(number / size) * size;
  return [[start, start + size - 1]];
}

function subtract(from: readonly Range[], taken: readonly Range[]): readonly Range[] {
  let left = from;
  for (const [first, last] of taken)
    left = left.flatMap(([start, end]): Range[] => {
      if (last < start || first > end) return [[start, end]];
      return [
        ...(start < first ? [[start, first - 1] as const] : []),
        ...(end > last ? [[last + 1, end] as const] : []),
      ];
    });
  return left;
}

function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start + 1, 0);
}
