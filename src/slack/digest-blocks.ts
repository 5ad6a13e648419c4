import type { KnownBlock } from '@slack/types';
import type { AnnouncedEdge, DigestReport } from '../reports/digest.ts';
import { counted, formatCount } from '../text/counted.ts';
import { code, visible } from './code.ts';
import { deniedGroup, summarised } from './digest-summary.ts';
import { escapeText, escapeToFit } from './escape.ts';
import { maxHeaderText } from './limits.ts';
import type { SlackMessage } from './message.ts';
import { context, packGroups, section, type Group } from './pack.ts';

/** A digest that needs more messages than this is summarised. */
const maxMessages = 4;
/** A digest of more edges than this is summarised. */
const maxListed = 40;
const namedInText = 8;

export interface DigestMessage {
  message: SlackMessage;
  /** Facts that a summary is reduced to. */
  edges: Pick<AnnouncedEdge, 'srcNs' | 'dstNs' | 'action'>[];
}

interface DigestWords {
  /** `12 new edges, 2 of them denied` */
  headline: string;
  /** The time that was not observed, one sentence each, not yet escaped. */
  coverage: readonly string[];
  /** A sentence about the trail as a whole, not yet escaped; undefined after the first digest. */
  introduction: string | undefined;
  /** The command that lists every edge of the digest. */
  question: string;
  mapUrl: string | undefined;
}

/**
 * A digest in Block Kit. Up to 40 edges are listed; a longer digest is summarised: denied edges and edges to namespaces
 * with data by name, the others as counts by source, with the command that lists them. Empty if there are no edges.
 */
export function digestMessages(report: DigestReport, words: DigestWords): DigestMessage[] {
  if (report.edges === 0) return [];
  const pages = layOut(
    report,
    words,
    report.edges <= maxListed ? listed(report) : summarised(report, words.question),
  );
  if (pages.length <= maxMessages) return pages;
  return layOut(report, words, summarised(report, words.question));
}

function layOut(report: DigestReport, words: DigestWords, groups: Group<AnnouncedEdge>[]): DigestMessage[] {
  const first = opening(report, words);
  const later = [context(continuing(words, 99, 99))];
  const closing = context(detailsHint, footer(report, 99, 99));
  const pages = packGroups(groups, { first: [...first, closing], later: [...later, closing] });
  return pages.map(({ blocks, items }, index) => ({
    message: {
      text: fallback(report, words, index + 1, pages.length),
      blocks: [
        ...(index === 0 ? first : [context(continuing(words, index + 1, pages.length))]),
        ...blocks,
        context(detailsHint, footer(report, index + 1, pages.length)),
      ],
    },
    edges: items.map(({ srcNs, dstNs, action }) => ({ srcNs, dstNs, action })),
  }));
}

function opening(
  report: DigestReport,
  { headline, coverage, introduction, mapUrl }: DigestWords,
): KnownBlock[] {
  const { from, to, timeZone, takenAsKnown, late } = report;
  const period = `From ${from} to ${to} (${escapeText(timeZone)})`;
  const notes = [
    coverage.length === 0 ? `${period}, no gaps` : period,
    ...(mapUrl === undefined ? [] : [link(mapUrl, 'Map of all edges')]),
    ...(takenAsKnown === 0
      ? []
      : [`${formatCount(takenAsKnown)} existed before the first digest; not announced`]),
    ...(late === 0
      ? []
      : [`${formatCount(late)} _found late_: first seen before an earlier digest, but stored after it`]),
  ];
  const [what, ...details] = coverage.map((line) => escapeToFit(visible(line), 400));
  return [
    { type: 'header', text: { type: 'plain_text', text: headline.slice(0, maxHeaderText), emoji: true } },
    context(...notes),
    ...(introduction === undefined
      ? []
      : [
          section(
            `*This is the first digest.* ${escapeText(introduction)} Later digests announce only new edges. All edges: ${code('flow-trail edges', 64)}.`,
          ),
        ]),
    ...(what === undefined
      ? []
      : [section([`:warning: *${what}*`, ...details.map((line) => `• ${line}`)].join('\n'))]),
    { type: 'divider' },
  ];
}

function continuing({ headline }: DigestWords, part: number, parts: number): string {
  return `*${headline}*, message ${part} of ${parts}`;
}

const detailsHint = `Ports and policies of an edge: ${code('flow-trail explain SOURCE DESTINATION')}`;

function footer({ digestId }: DigestReport, part: number, parts: number): string {
  const id = escapeToFit(digestId, 80);
  return parts === 1 ? id : `${id}, message ${part} of ${parts}`;
}

function listed({ groups, introduction, denied }: DigestReport): Group<AnnouncedEdge>[] {
  // The first digest also shows denied edges that existed before it.
  const hasKnownDenied = introduction !== undefined && introduction.denied > denied;
  return [
    ...(hasKnownDenied ? [deniedGroup(introduction.deniedBySource)] : []),
    ...groups.map(({ srcNs, denied, edges }) => ({
      title: denied === 0 ? `*${code(srcNs)}*` : `*${code(srcNs)}*  ${formatCount(denied)} denied`,
      lines: edges.map((edge) => ({ text: `→ ${code(edge.dstNs)}${describe(edge)}`, items: [edge] })),
    })),
  ];
}

function describe({ isDenied, isLate, action, firstSeen, flowCount }: AnnouncedEdge): string {
  const parts = [
    ...(isDenied ? [':no_entry: *denied*'] : action === 'allow' ? [] : [code(action, 20)]),
    `since ${escapeText(firstSeen)}`,
    counted(BigInt(flowCount), 'flow'),
    ...(isLate ? ['_found late_'] : []),
  ];
  return `  ${parts.join(' · ')}`;
}

/** The text for notifications and for clients without blocks. */
function fallback(
  { groups, from, to, digestId, edges }: DigestReport,
  { headline }: DigestWords,
  part: number,
  parts: number,
): string {
  const named = groups
    .flatMap((group) => group.edges)
    .slice(0, namedInText)
    .map(
      ({ srcNs, dstNs, isDenied }) => `${code(srcNs, 64)} → ${code(dstNs, 64)}${isDenied ? ' (denied)' : ''}`,
    );
  const more = edges > named.length ? `, and ${formatCount(edges - named.length)} more` : '';
  const which = parts === 1 ? '' : ` (message ${part} of ${parts})`;
  return `${headline}${which}, from ${from} to ${to}: ${named.join(', ')}${more}. ${escapeToFit(digestId, 80)}`;
}

/** A link to an address of the settings. Source: Slack, "Formatting text for app surfaces", links. */
function link(url: string, label: string): string {
  return `<${escapeText(new URL(url).href.replaceAll('|', '%7C'))}|${label}>`;
}
