import { dayMs } from '../time/units.ts';
import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';
import { zonedTime } from '../time/zoned-time.ts';
import type { TrailTotals } from '../trail/edges/trail-totals.ts';
import { compareText, groupBy } from '../text/order.ts';
import { summariseCoverage, type CoverageSummary } from './digest-gaps.ts';

/** Period of a digest that has no predecessor. */
export const firstPeriodMs = dayMs;

/** Normally, an edge is stored within this time after the start of its bucket. */
const usualDelayMs = 90_000;

export interface DigestInput {
  digestId: string;
  edges: readonly EdgeRow[];
  /** When the newest posted digest was frozen; undefined if none was posted. */
  previousPostedAt: Date | undefined;
  /** When the newest finished digest (posted or quiet) was frozen: an edge first seen before it was found late. */
  previousDoneAt: Date | undefined;
  /** Edges that existed before the first digest and are not announced. */
  takenAsKnown: number;
  /** From `coverageFrom`, the end of the last reported time, to `now`. */
  coverage: readonly CoverageStretch[];
  coverageFrom: Date;
  now: Date;
  /** IANA name of the reader's zone. */
  timeZone: string;
  /** Namespaces with data: edges to them are shown first if not all edges are shown. */
  dataNamespaces: readonly string[];
  /** Size of the trail. Used until a digest has been posted. */
  trail: TrailTotals;
  /** Every denied edge of the trail. Used until a digest has been posted. */
  deniedEdges: readonly Pick<EdgeRow, 'srcNs' | 'dstNs'>[];
}

/** Facts about the whole trail, for the first digest. */
export interface Introduction {
  /** In the reader's zone. */
  since: string;
  namespaces: number;
  edges: number;
  /** All denied edges, including those from before the first digest. */
  denied: number;
  deniedBySource: { srcNs: string; dstNs: string[] }[];
}

export interface AnnouncedEdge {
  srcNs: string;
  dstNs: string;
  action: string;
  isDenied: boolean;
  /** First seen well before an earlier digest that did not include it. */
  isLate: boolean;
  /** In the reader's zone. */
  firstSeen: string;
  flowCount: string;
}

export interface SourceGroup {
  srcNs: string;
  denied: number;
  /** Denied ones first, then by destination. */
  edges: AnnouncedEdge[];
}

export interface DigestReport {
  digestId: string;
  edges: number;
  denied: number;
  late: number;
  /** Sources with a denied edge first, then by name. */
  groups: SourceGroup[];
  /** The period in the reader's zone, with the zone's name on that day. */
  from: string;
  to: string;
  timeZone: string;
  /** Shown in the first digest that is posted. */
  takenAsKnown: number;
  coverage: CoverageSummary;
  /** Only in the first digest that is posted. */
  introduction: Introduction | undefined;
  /** Announced edges to namespaces with data, by destination, those with most sources first. */
  toData: { dstNs: string; srcNs: string[] }[];
}

/**
 * The content of a digest for any output: edges by source namespace, denied ones first, and the time that was not observed.
 * Pure.
 */
export function composeDigest(input: DigestInput): DigestReport {
  const { digestId, edges, previousPostedAt, previousDoneAt, now, timeZone } = input;
  const from = previousPostedAt ?? new Date(now.getTime() - firstPeriodMs);
  const times = zonedTime(timeZone);
  const [fromText, toText] = [times.exact(from), times.exact(now)];
  // Around a clock change, one wall-clock time can mean two times.
  const time = zoneName(fromText) === zoneName(toText) ? times.minute : times.exact;
  const announced = edges.map((edge): AnnouncedEdge => ({
    srcNs: edge.srcNs,
    dstNs: edge.dstNs,
    action: edge.action,
    isDenied: edge.action === 'deny',
    isLate:
      previousDoneAt !== undefined && edge.firstSeen.getTime() + usualDelayMs < previousDoneAt.getTime(),
    firstSeen: time(edge.firstSeen),
    flowCount: edge.flowCount,
  }));
  return {
    digestId,
    edges: edges.length,
    denied: announced.filter(({ isDenied }) => isDenied).length,
    late: announced.filter(({ isLate }) => isLate).length,
    groups: groupBySource(announced),
    from: fromText,
    to: toText,
    timeZone,
    takenAsKnown: previousPostedAt === undefined ? input.takenAsKnown : 0,
    coverage: summariseCoverage(input.coverage, { from: input.coverageFrom, now, time }),
    introduction: previousPostedAt === undefined ? introduce(input, times.exact) : undefined,
    toData: edgesToData(edges, new Set(input.dataNamespaces)),
  };
}

function introduce({ trail, deniedEdges, now }: DigestInput, time: (at: Date) => string): Introduction {
  const { since = now, namespaces, edges } = trail;
  return {
    since: time(since),
    namespaces,
    edges,
    denied: deniedEdges.length,
    deniedBySource: [...groupNames(deniedEdges, 'srcNs', 'dstNs')].map(([srcNs, dstNs]) => ({
      srcNs,
      dstNs,
    })),
  };
}

function edgesToData(
  edges: readonly EdgeRow[],
  dataNamespaces: ReadonlySet<string>,
): { dstNs: string; srcNs: string[] }[] {
  const toData = edges.filter(({ dstNs }) => dataNamespaces.has(dstNs));
  return [...groupNames(toData, 'dstNs', 'srcNs')]
    .map(([dstNs, srcNs]) => ({ dstNs, srcNs }))
    .toSorted((a, b) => b.srcNs.length - a.srcNs.length || compareText(a.dstNs, b.dstNs));
}

/** The distinct names at one end of edges, by the name at the other end. */
function groupNames(
  edges: readonly Pick<EdgeRow, 'srcNs' | 'dstNs'>[],
  by: 'srcNs' | 'dstNs',
  other: 'srcNs' | 'dstNs',
): Map<string, string[]> {
  const groups = new Map<string, Set<string>>();
  for (const edge of edges) groups.set(edge[by], (groups.get(edge[by]) ?? new Set()).add(edge[other]));
  return new Map([...groups].map(([name, names]) => [name, [...names].toSorted(compareText)]));
}

function groupBySource(edges: readonly AnnouncedEdge[]): SourceGroup[] {
  return [...groupBy(edges, ({ srcNs }) => srcNs)]
    .map(([srcNs, members]) => ({
      srcNs,
      denied: members.filter(({ isDenied }) => isDenied).length,
      edges: members.toSorted(
        (a, b) =>
          Number(b.isDenied) - Number(a.isDenied) ||
          compareText(a.dstNs, b.dstNs) ||
          compareText(a.action, b.action),
      ),
    }))
    .toSorted((a, b) => Number(b.denied > 0) - Number(a.denied > 0) || compareText(a.srcNs, b.srcNs));
}

function zoneName(exact: string): string | undefined {
  return exact.split(' ').at(-1);
}
