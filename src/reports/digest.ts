import type { CoverageStretch } from '../trail/coverage.ts';
import type { EdgeRow } from '../trail/query-edges.ts';
import { zonedTime } from '../time/zoned-time.ts';
import { counted } from '../text/counted.ts';
import { observe, type Observation } from '../coverage/observation.ts';

/** Without a digest before it, a digest speaks of a day. */
export const firstPeriodMs = 24 * 3_600_000;

/** An edge is in the table this long after its bucket began, when all is well. */
const usualDelayMs = 90_000;

export interface DigestInput {
  digestId: string;
  edges: readonly EdgeRow[];
  /** When the newest digest that was posted was frozen; undefined when none ever was. */
  previousPostedAt: Date | undefined;
  /** When the newest digest that is done, posted or quiet, was frozen: an edge from before it was found late. */
  previousDoneAt: Date | undefined;
  /** Edges that were there before digests began, and are not announced. */
  takenAsKnown: number;
  /** From `coverageFrom`, since when gaps were not told, up to `now`. */
  coverage: readonly CoverageStretch[];
  coverageFrom: Date;
  now: Date;
  /** IANA name of the reader's zone. */
  timeZone: string;
}

export interface AnnouncedEdge {
  srcNs: string;
  dstNs: string;
  action: string;
  isDenied: boolean;
  /** First seen well before a digest that did not have it. */
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
  /** Those with a denied edge first, then by name. */
  groups: SourceGroup[];
  /** The period, in the reader's zone, with that zone's name on the day. */
  from: string;
  to: string;
  timeZone: string;
  /** Shown in the first digest that is posted. */
  takenAsKnown: number;
  observation: Observation;
  /** ISO 8601 in UTC, rounded down to the second; undefined without edges. */
  earliestFirstSeen: string | undefined;
}

/** What a digest says, whoever shows it: by source namespace, what is denied first, and what was not observed. Pure. */
export function composeDigest(input: DigestInput): DigestReport {
  const { digestId, edges, previousPostedAt, previousDoneAt, now, timeZone } = input;
  const from = previousPostedAt ?? new Date(now.getTime() - firstPeriodMs);
  const times = zonedTime(timeZone);
  const [fromText, toText] = [times.exact(from), times.exact(now)];
  // Around a change of the clocks one reading may stand for two times.
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
  const earliest = edges.reduce<Date | undefined>(
    (least, { firstSeen }) => (least === undefined || firstSeen < least ? firstSeen : least),
    undefined,
  );
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
    observation: observe(input.coverage, { from: input.coverageFrom, now, time }),
    earliestFirstSeen: earliest && `${earliest.toISOString().slice(0, 19)}Z`,
  };
}

function groupBySource(edges: readonly AnnouncedEdge[]): SourceGroup[] {
  const groups = new Map<string, AnnouncedEdge[]>();
  for (const edge of edges) {
    const group = groups.get(edge.srcNs);
    if (group) group.push(edge);
    else groups.set(edge.srcNs, [edge]);
  }
  return [...groups]
    .map(([srcNs, members]) => ({
      srcNs,
      denied: members.filter(({ isDenied }) => isDenied).length,
      edges: members.toSorted(
        (a, b) =>
          Number(b.isDenied) - Number(a.isDenied) || byText(a.dstNs, b.dstNs) || byText(a.action, b.action),
      ),
    }))
    .toSorted((a, b) => Number(b.denied > 0) - Number(a.denied > 0) || byText(a.srcNs, b.srcNs));
}

/** `12 new edges, 2 of them denied`: the same numbers in every form of a digest. */
export function headlineOf({ edges, denied }: Pick<DigestReport, 'edges' | 'denied'>): string {
  if (edges === 0) return 'No new edge';
  const all = counted(edges, 'new edge');
  if (denied === 0) return all;
  if (denied === edges) return edges === 1 ? `${all}, denied` : `${all}, all of them denied`;
  return `${all}, ${denied.toLocaleString('en')} of them denied`;
}

/** The question whose answer has every edge of the digest, among others that were first seen since. */
export function questionFor({ earliestFirstSeen, edges }: DigestReport): string {
  return `flow-trail edges --new-since ${earliestFirstSeen ?? '24h'} --limit ${Math.max(10_000, 2 * edges)}`;
}

function zoneName(exact: string): string | undefined {
  return exact.split(' ').at(-1);
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
