import { parseNet, type AddressRange, type IpVersion } from '../../text/net.ts';

/** Addresses of one IP version: disjoint ranges. */
export type AddressSet = readonly AddressRange[];

/** The addresses of a list of ranges, by IP version. */
export interface Nets {
  /** Equal texts are equal lists. */
  readonly text: string;
  readonly 4: AddressSet;
  readonly 6: AddressSet;
}

/** All addresses. */
export const everyNet: Nets = netsOf(['0.0.0.0/0', '::/0']);

/** Reads a list of CIDRs and addresses. */
export function netsOf(nets: readonly string[]): Nets {
  return { text: nets.toSorted().join(', '), 4: addressesIn(nets, 4), 6: addressesIn(nets, 6) };
}

function addressesIn(nets: readonly string[], version: IpVersion): AddressSet {
  const ranges = nets.flatMap((net) => {
    const parsed = parseNet(net);
    return parsed?.version === version ? [parsed.range] : [];
  });
  // Later ranges are reduced by earlier ones, so that the result is disjoint.
  return ranges.reduce<AddressSet>((all, range) => [...all, ...subtract([range], all)], []);
}

export function subtract(from: AddressSet, taken: AddressSet): AddressSet {
  let left = from;
  for (const [first, last] of taken)
    left = left.flatMap(([start, end]): AddressRange[] => {
      if (last < start || first > end) return [[start, end]];
      return [
        ...(start < first ? [[start, first - 1n] as const] : []),
        ...(end > last ? [[last + 1n, end] as const] : []),
      ];
    });
  return left;
}

export function intersect(a: AddressSet, b: AddressSet): AddressSet {
  return a.flatMap(([start, end]) =>
    b.flatMap(([first, last]): AddressRange[] => {
      const from = start > first ? start : first;
      const to = end < last ? end : last;
      return from <= to ? [[from, to]] : [];
    }),
  );
}
