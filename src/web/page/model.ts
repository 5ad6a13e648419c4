import type { MapChanges, MapData, MapEdge } from '../../queries/map-data.ts';
import type { Filters } from './route.ts';

const dayMs = 86_400_000;

/** One line of the picture, for all actions of a pair. */
export interface Pair {
  src: string;
  dst: string;
  edges: MapEdge[];
  kind: 'allowed' | 'denied' | 'mixed' | 'other';
}

/** Edges that pass the filters. */
export function filterEdges(data: MapData, filters: Filters): MapEdge[] {
  const now = Date.parse(data.madeAt);
  const search = filters.search.trim().toLowerCase();
  const { externals, identity } = filters;
  const candidates =
    externals === ''
      ? data.edges
      : externals === 'only'
        ? data.externals
        : [...data.edges, ...data.externals];
  return candidates.filter(
    ({ src, dst, action, firstSeen, lastSeen, identities }) =>
      (identity === '' || identities?.includes(identity) === true) &&
      (search === '' || src.includes(search) || dst.includes(search)) &&
      (filters.action === '' || action === filters.action) &&
      (filters.seenWithinDays === 0 || Date.parse(lastSeen) >= now - filters.seenWithinDays * dayMs) &&
      (filters.newWithinDays === 0 || Date.parse(firstSeen) >= now - filters.newWithinDays * dayMs) &&
      (filters.firstSeenUntil === 0 || Date.parse(firstSeen) <= filters.firstSeenUntil),
  );
}

export function pairsOf(edges: readonly MapEdge[]): Pair[] {
  const pairs = new Map<string, MapEdge[]>();
  for (const edge of edges) {
    const key = pairKey(edge);
    const known = pairs.get(key);
    if (known) known.push(edge);
    else pairs.set(key, [edge]);
  }
  return [...pairs.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ src: first.src, dst: first.dst, edges: group, kind: kindOf(group) }] : [];
  });
}

function kindOf(edges: readonly MapEdge[]): Pair['kind'] {
  const allows = edges.some(({ action }) => action === 'allow');
  const denies = edges.some(({ action }) => action === 'deny');
  if (allows && denies) return 'mixed';
  if (allows) return 'allowed';
  return denies ? 'denied' : 'other';
}

/** Names of endpoints outside the cluster. */
export function externalNames(data: MapData): Set<string> {
  const namespaces = new Set(data.namespaces.map(({ name }) => name));
  return new Set(
    data.externals.flatMap(({ src, dst }) => [src, dst]).filter((name) => !namespaces.has(name)),
  );
}

/** What happened to an edge between two times. */
export type Change = 'appeared' | 'fell-silent' | 'now-denied' | 'now-allowed';

/** The change of each pair, by `pairKey`. A changed action takes precedence over the appearance of an edge. */
export function changesByPair(changes: MapChanges): Map<string, Change> {
  const groups: [readonly MapEdge[], Change][] = [
    [changes.fellSilent, 'fell-silent'],
    [changes.appeared, 'appeared'],
    [changes.deniedToAllowed, 'now-allowed'],
    [changes.allowedToDenied, 'now-denied'],
  ];
  return new Map(groups.flatMap(([edges, change]) => edges.map((edge) => [pairKey(edge), change] as const)));
}

export function pairKey({ src, dst }: Pick<MapEdge, 'src' | 'dst'>): string {
  return `${src}\n${dst}`;
}

/** Distinct peers of each namespace. */
export function neighbours(pairs: readonly Pair[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (name: string, other: string) => {
    const known = found.get(name);
    if (known) known.add(other);
    else found.set(name, new Set([other]));
  };
  for (const { src, dst } of pairs) {
    add(src, dst);
    add(dst, src);
  }
  return found;
}

/**
 * Namespaces with so many peers that their lines would cover the picture: DNS, databases, ingress, monitoring. They are
 * detected by their number of neighbours, not by name.
 */
export function findHubs(pairs: readonly Pair[]): Set<string> {
  const byNamespace = neighbours(pairs);
  const least = Math.max(8, Math.ceil(byNamespace.size * 0.15));
  return new Set([...byNamespace].filter(([, others]) => others.size >= least).map(([name]) => name));
}

/** Groups of namespaces that are connected without the hubs, largest first. */
export function islands(
  names: readonly string[],
  pairs: readonly Pair[],
  hubs: ReadonlySet<string>,
): string[][] {
  const links = neighbours(pairs.filter(({ src, dst }) => !hubs.has(src) && !hubs.has(dst)));
  const seen = new Set<string>();
  const groups: string[][] = [];
  for (const name of names) {
    if (hubs.has(name) || seen.has(name)) continue;
    const group: string[] = [];
    const open = [name];
    seen.add(name);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      group.push(at);
      for (const other of links.get(at) ?? [])
        if (!seen.has(other)) {
          seen.add(other);
          open.push(other);
        }
    }
    groups.push(group.toSorted());
  }
  return groups.toSorted((a, b) => b.length - a.length || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
}
