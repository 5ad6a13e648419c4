import { groupBy } from '../../text/order.ts';
import { fairShare, sharePairs, type PairSize } from './fair-share.ts';
import { factGroupText, withoutIdentity, type FactEnd, type FactKey } from '../record.ts';

/** How much of a limit is still used after making room. Making room is slow, so it frees more than is needed at once. */
const leftOfIdentities = 1 / 2;
const leftOfFacts = 7 / 8;
const leftOfTraces = 7 / 8;
/** A source with a smaller share may still add facts: with so many namespaces, rounding makes the share too inaccurate. */
const leastLimitedShare = 8;

/** The namespace of the source; workloads, networks and hosts without a namespace are separate sources. */
export function sourceOf({ src }: FactKey): string {
  return endText(src);
}

export function pairOf({ src, dst }: FactKey): string {
  return `${endText(src)}\n${endText(dst)}`;
}

/** The namespace whose policies a trace names: a source reports its egress policies, a destination its ingress policies. */
export function traceOwner({ src, dst, reporter }: FactKey): string {
  return endText(reporter === 'dst' ? dst : src);
}

function endText({ kind, ns }: FactEnd): string {
  // The owner of a namespace's network sets also owns its workloads.
  return ns === '' ? kind : `namespace ${ns}`;
}

/** The ends of a pair of namespaces that lose their identities. */
export type CoarseEnds = 'src' | 'dst' | 'both';

/**
 * The pairs whose identities must be removed to make enough room: those with the most groups, of the sources with the most. If that is
 * enough, only the end with more identities loses them, so that a flood does not make the pods of its destination indistinguishable.
 * Pure.
 */
export function pairsToCoarsen(groups: readonly FactKey[], limit: number): Map<string, CoarseEnds> {
  const room = Math.floor(limit * leftOfIdentities);
  const sizes = groups.map(sizeOf);
  const shares = sharePairs(sizes, room);
  const limited = [...groupBy(groups, pairOf)].filter(
    ([pair]) => shares.ofPair(pair) < Number.POSITIVE_INFINITY,
  );
  const chosen = new Map<string, CoarseEnds>();
  let left = groups.length;
  for (const [pair, facts] of limited.sort(([, a], [, b]) => b.length - a.length)) {
    if (left <= room) break;
    const { ends, groupsLeft } = endsToCoarsen(facts, shares.ofPair(pair));
    chosen.set(pair, ends);
    left -= facts.length - groupsLeft;
  }
  return chosen;
}

function endsToCoarsen(facts: readonly FactKey[], room: number): { ends: CoarseEnds; groupsLeft: number } {
  const leftWithout = (ends: CoarseEnds) =>
    new Set(facts.map((fact) => factGroupText(withoutIdentities(fact, ends)))).size;
  const identities = (end: 'src' | 'dst') => new Set(facts.map((fact) => fact[end].identity)).size;
  const ends = identities('src') >= identities('dst') ? 'src' : 'dst';
  const groupsLeft = leftWithout(ends);
  return groupsLeft <= room ? { ends, groupsLeft } : { ends: 'both', groupsLeft: leftWithout('both') };
}

function sizeOf(fact: FactKey): PairSize {
  return { source: sourceOf(fact), pair: pairOf(fact), size: 1 };
}

/** The fact without the identities of these ends; the same object if they have none. */
export function withoutIdentities(fact: FactKey, ends: CoarseEnds): FactKey {
  const src = ends === 'dst' ? fact.src : withoutIdentity(fact.src);
  const dst = ends === 'src' ? fact.dst : withoutIdentity(fact.dst);
  return src === fact.src && dst === fact.dst ? fact : { ...fact, src, dst };
}

/**
 * Which groups are kept if removing identities does not make enough room: the first ones of each pair and source, up to its share.
 * Pure.
 * @returns also the sources from which no further group is taken
 */
export function groupsToKeep(
  groups: readonly FactKey[],
  limit: number,
): { kept: boolean[]; limited: Set<string> } {
  const room = Math.floor(limit * leftOfFacts);
  if (groups.length <= room) return { kept: groups.map(() => true), limited: new Set() };
  const sizes = groups.map(sizeOf);
  const shares = sharePairs(sizes, room);
  const taken = new Map<string, number>();
  const limited = new Set<string>();
  const kept = sizes.map(({ source, pair }) => {
    const share = shares.ofSource(source);
    if (share >= leastLimitedShare && share < Number.POSITIVE_INFINITY) limited.add(source);
    const ofSource = taken.get(source) ?? 0;
    const ofPair = taken.get(pair) ?? 0;
    // The share of a pair is 0 if its source has more pairs than room.
    if (ofSource >= share || ofPair >= Math.max(1, shares.ofPair(pair))) return false;
    taken.set(source, ofSource + 1);
    taken.set(pair, ofPair + 1);
    return true;
  });
  return { kept, limited };
}

/**
 * Which policy traces are kept: the first ones of each namespace, up to its share. A trace that several namespaces use is kept if
 * one of them keeps it. Pure.
 * @param bytes of each trace
 * @param owners of each trace
 */
export function tracesToKeep(
  bytes: readonly number[],
  owners: readonly ReadonlySet<string>[],
  limit: number,
): { kept: boolean[]; limited: Set<string> } {
  const totals = new Map<string, number>();
  for (const [trace, names] of owners.entries())
    for (const name of names) totals.set(name, (totals.get(name) ?? 0) + (bytes[trace] ?? 0));
  const share = fairShare([...totals.values()], Math.floor(limit * leftOfTraces));
  const used = new Map<string, number>();
  const kept = owners.map((names, trace) => {
    const size = bytes[trace] ?? 0;
    const fits = [...names].filter(
      (name) => (totals.get(name) ?? 0) <= share || (used.get(name) ?? 0) + size <= share,
    );
    for (const name of fits) used.set(name, (used.get(name) ?? 0) + size);
    return fits.length > 0;
  });
  return { kept, limited: new Set([...totals].filter(([, total]) => total > share).map(([name]) => name)) };
}
