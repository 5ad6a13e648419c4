import type { AnnouncedEdge, DigestReport, SourceGroup } from '../reports/digest.ts';
import { counted, formatCount } from '../text/counted.ts';
import { code } from './code.ts';
import type { Group, Line } from './pack.ts';

/** Maximum lines of a summary, and names per line. */
const deniedLines = 40;
const deniedNamed = 8;
const dataLines = 10;
const dataNamed = 10;
const sourcesNamed = 120;
const sourcesInRow = 4;

/**
 * Denied edges and edges to namespaces with data by name, the others as counts by source. The last line represents every edge.
 * @param question the command that lists every edge of the digest
 */
export function summarised(report: DigestReport, question: string): Group<AnnouncedEdge>[] {
  const { groups, edges, introduction, toData } = report;
  const all = groups.flatMap((group) => group.edges);
  const sources = groups.toSorted((a, b) => b.edges.length - a.edges.length);
  const denied =
    introduction?.deniedBySource ??
    groups
      .filter((group) => group.denied > 0)
      .map((group) => ({
        srcNs: group.srcNs,
        dstNs: group.edges.filter(({ isDenied }) => isDenied).map(({ dstNs }) => dstNs),
      }));
  return [
    ...(denied.length === 0 ? [] : [deniedGroup(denied)]),
    ...(toData.length === 0 ? [] : [dataGroup(toData)]),
    {
      title: `*New edges by source*  ${formatCount(edges)} from ${counted(sources.length, 'namespace')}`,
      lines: [
        ...inRows(sources.slice(0, sourcesNamed)).map((row) =>
          line(
            row.map((group) => `${code(group.srcNs, 64)} ${formatCount(group.edges.length)}`).join('  ·  '),
          ),
        ),
        ...remainder(sources.slice(sourcesNamed), (group) => group.edges.length),
      ],
    },
    {
      title: '*Every edge of this digest:*',
      lines: [{ text: code(question, 300), items: all }],
    },
  ];
}

type DeniedBySource = NonNullable<DigestReport['introduction']>['deniedBySource'];

export function deniedGroup(denied: DeniedBySource): Group<AnnouncedEdge> {
  const bySize = denied.toSorted((a, b) => b.dstNs.length - a.dstNs.length);
  return {
    title: `:no_entry: *Denied by policy*  ${formatCount(sumOf(denied, ({ dstNs }) => dstNs.length))}, by source`,
    lines: [
      ...bySize
        .slice(0, deniedLines)
        .map(({ srcNs, dstNs }) => line(`${code(srcNs, 64)} → ${names(dstNs, deniedNamed)}`)),
      ...remainder(bySize.slice(deniedLines), ({ dstNs }) => dstNs.length),
    ],
  };
}

function dataGroup(toData: DigestReport['toData']): Group<AnnouncedEdge> {
  return {
    title: '*New edges to namespaces with data*',
    lines: [
      ...toData
        .slice(0, dataLines)
        .map(({ dstNs, srcNs }) => line(`${code(dstNs, 64)} ← ${names(srcNs, dataNamed)}`)),
      ...remainder(toData.slice(dataLines), ({ srcNs }) => srcNs.length),
    ],
  };
}

function names(all: readonly string[], atMost: number): string {
  const named = all.slice(0, atMost).map((name) => code(name, 64));
  return `${named.join(', ')}${all.length > atMost ? ` and ${formatCount(all.length - atMost)} more` : ''}`;
}

function line(text: string): Line<AnnouncedEdge> {
  return { text, items: [] };
}

function remainder<Named>(groups: readonly Named[], size: (group: Named) => number): Line<AnnouncedEdge>[] {
  return groups.length === 0
    ? []
    : [line(`and ${formatCount(sumOf(groups, size))} more, in ${counted(groups.length, 'namespace')}`)];
}

function sumOf<Named>(groups: readonly Named[], size: (group: Named) => number): number {
  return groups.reduce((total, group) => total + size(group), 0);
}

function inRows(groups: readonly SourceGroup[]): SourceGroup[][] {
  return Array.from({ length: Math.ceil(groups.length / sourcesInRow) }, (_, row) =>
    groups.slice(row * sourcesInRow, (row + 1) * sourcesInRow),
  );
}
