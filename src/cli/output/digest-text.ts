import { counted } from '../../text/counted.ts';
import { printable } from '../../text/printable.ts';
import type { AnnouncedEdge, DigestReport } from '../../reports/digest.ts';
import { headlineOf, introductionOf } from '../../reports/digest-wording.ts';
import { coverageLines } from '../../reports/digest-gaps.ts';

const gapsShown = 20;

/** A digest for a terminal, always with every edge. */
export function digestText(report: DigestReport): string {
  const { groups, from, to, timeZone, takenAsKnown, late } = report;
  const lines = [`${headlineOf(report)}, from ${from} to ${to} (${timeZone})`];
  if (report.introduction) lines.push(`First digest. ${introductionOf(report.introduction)}`);
  if (takenAsKnown > 0)
    lines.push(`${counted(takenAsKnown, 'edge')} existed before the first digest; not announced`);
  if (late > 0)
    lines.push(
      `${counted(late, 'edge')} found late: first seen before an earlier digest, but stored after it`,
    );
  lines.push(...coverageLines(report.coverage, { quote: printable, atMost: gapsShown }));
  for (const { srcNs, edges } of groups) {
    lines.push('', printable(srcNs));
    for (const edge of edges) lines.push(`  ${edgeText(edge)}`);
  }
  return lines.join('\n');
}

function edgeText({ dstNs, action, isDenied, isLate, firstSeen, flowCount }: AnnouncedEdge): string {
  const marks = [isDenied ? 'DENIED' : action, ...(isLate ? ['found late'] : [])].join(', ');
  return `-> ${printable(dstNs)}  ${marks}  since ${firstSeen}, ${flowCount} ${flowCount === '1' ? 'flow' : 'flows'}`;
}
