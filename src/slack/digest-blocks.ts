import type { KnownBlock } from '@slack/types';
import type { AnnouncedEdge, DigestReport, SourceGroup } from '../reports/digest.ts';
import { code, visible } from './code.ts';
import { escapeText, escapeToFit } from './escape.ts';
import { maxHeaderText } from './limits.ts';
import type { SlackMessage } from './message.ts';
import { context, packGroups, section, type Group, type Line } from './pack.ts';

/** More messages than this are not read: what needs more is summarised. */
const maxMessages = 4;
/** Beyond this many nobody has to try. */
const maxListed = 1_500;
/** What a summary names, at most. */
const refusedNamed = 40;
const deniedNamed = 5;
const sourcesNamed = 120;
const sourcesInRow = 4;
const namedInText = 8;

export interface DigestMessage {
  message: SlackMessage;
  /** What people know once they have it. */
  edges: Pick<AnnouncedEdge, 'srcNs' | 'dstNs' | 'action'>[];
}

export interface DigestWords {
  /** `12 new edges, 2 of them denied` */
  headline: string;
  /** What was not observed, a sentence each, not yet escaped. */
  observation: readonly string[];
  /** The command that shows every edge. */
  question: string;
  mapUrl: string | undefined;
}

/**
 * A digest in Block Kit: every edge in up to four messages, else a summary that says how many there are and how to see
 * them. None without edges.
 */
export function digestMessages(report: DigestReport, words: DigestWords): DigestMessage[] {
  if (report.edges === 0) return [];
  const pages = layOut(report, words, report.edges <= maxListed ? listed(report) : summarised(report, words));
  if (pages.length <= maxMessages) return pages;
  return layOut(report, words, summarised(report, words));
}

function layOut(report: DigestReport, words: DigestWords, groups: Group<AnnouncedEdge>[]): DigestMessage[] {
  const first = opening(report, words);
  const later = [context(continuing(words, 99, 99))];
  const closing = context(footer(report, 99, 99));
  const pages = packGroups(groups, { first: [...first, closing], later: [...later, closing] });
  return pages.map(({ blocks, items }, index) => ({
    message: {
      text: fallback(report, words, index + 1, pages.length),
      blocks: [
        ...(index === 0 ? first : [context(continuing(words, index + 1, pages.length))]),
        ...blocks,
        context(footer(report, index + 1, pages.length)),
      ],
    },
    edges: items.map(({ srcNs, dstNs, action }) => ({ srcNs, dstNs, action })),
  }));
}

function opening(report: DigestReport, { headline, observation, mapUrl }: DigestWords): KnownBlock[] {
  const { from, to, timeZone, takenAsKnown, late } = report;
  const period = `From ${from} to ${to} (${escapeText(timeZone)})`;
  const notes = [
    observation.length === 0 ? `${period}, observed without a gap` : period,
    ...(mapUrl === undefined ? [] : [link(mapUrl, 'Map of all edges')]),
    ...(takenAsKnown === 0
      ? []
      : [`${number(takenAsKnown)} from before digests began: taken as known, not announced`]),
    ...(late === 0 ? [] : [`${number(late)} _found late_: first seen before a digest that did not have it`]),
  ];
  const [what, ...details] = observation.map((line) => escapeToFit(visible(line), 400));
  return [
    { type: 'header', text: { type: 'plain_text', text: headline.slice(0, maxHeaderText), emoji: true } },
    context(...notes),
    ...(what === undefined
      ? []
      : [section([`:warning: *${what}*`, ...details.map((line) => `• ${line}`)].join('\n'))]),
    { type: 'divider' },
  ];
}

function continuing({ headline }: DigestWords, part: number, parts: number): string {
  return `*${headline}*, message ${part} of ${parts}`;
}

function footer({ digestId }: DigestReport, part: number, parts: number): string {
  const id = escapeToFit(digestId, 80);
  return parts === 1 ? id : `${id}, message ${part} of ${parts}`;
}

function listed({ groups }: DigestReport): Group<AnnouncedEdge>[] {
  return groups.map(({ srcNs, denied, edges }) => ({
    title: denied === 0 ? `*${code(srcNs)}*` : `*${code(srcNs)}*  ${number(denied)} denied`,
    lines: edges.map((edge) => ({ text: `→ ${code(edge.dstNs)}${describe(edge)}`, items: [edge] })),
  }));
}

/** How much is new from where, what is denied first and by name as far as it goes. The last line stands for every edge. */
function summarised({ groups, edges, denied }: DigestReport, words: DigestWords): Group<AnnouncedEdge>[] {
  const all = groups.flatMap((group) => group.edges);
  const refused = groups.filter((group) => group.denied > 0).toSorted((a, b) => b.denied - a.denied);
  const sources = groups.toSorted((a, b) => b.edges.length - a.edges.length);
  return [
    {
      title: `:no_entry: *Denied by policy*  ${number(denied)} of ${number(edges)}, by source`,
      lines: [
        ...refused.slice(0, refusedNamed).map((group) => line(`${code(group.srcNs, 64)}${deniedOf(group)}`)),
        ...remainder(refused.slice(refusedNamed), (group) => group.denied),
      ],
    },
    {
      title: `*New edges by source*  ${number(edges)} of ${counted(sources.length)}`,
      lines: [
        ...inRows(sources.slice(0, sourcesNamed)).map((row) =>
          line(row.map((group) => `${code(group.srcNs, 64)} ${number(group.edges.length)}`).join('  ·  ')),
        ),
        ...remainder(sources.slice(sourcesNamed), (group) => group.edges.length),
      ],
    },
    {
      title: '*Too many to list here.* All of them, among others that were first seen since:',
      lines: [{ text: code(words.question, 300), items: all }],
    },
  ];
}

function line(text: string): Line<AnnouncedEdge> {
  return { text, items: [] };
}

function deniedOf({ denied, edges }: SourceGroup): string {
  const named = edges.slice(0, Math.min(denied, deniedNamed)).map(({ dstNs }) => code(dstNs, 64));
  const more = denied > named.length ? ` and ${number(denied - named.length)} more` : '';
  return ` → ${named.join(', ')}${more}`;
}

function remainder(
  groups: readonly SourceGroup[],
  size: (group: SourceGroup) => number,
): Line<AnnouncedEdge>[] {
  if (groups.length === 0) return [];
  const sum = groups.reduce((total, group) => total + size(group), 0);
  return [line(`and ${number(sum)} of ${counted(groups.length)} more`)];
}

function inRows(groups: readonly SourceGroup[]): SourceGroup[][] {
  return Array.from({ length: Math.ceil(groups.length / sourcesInRow) }, (_, row) =>
    groups.slice(row * sourcesInRow, (row + 1) * sourcesInRow),
  );
}

function counted(namespaces: number): string {
  return `${number(namespaces)} ${namespaces === 1 ? 'namespace' : 'namespaces'}`;
}

function describe({ isDenied, isLate, action, firstSeen, flowCount }: AnnouncedEdge): string {
  const parts = [
    ...(isDenied ? [':no_entry: *denied*'] : action === 'allow' ? [] : [code(action, 20)]),
    `since ${escapeText(firstSeen)}`,
    flowCount === '1' ? '1 flow' : `${BigInt(flowCount).toLocaleString('en')} flows`,
    ...(isLate ? ['_found late_'] : []),
  ];
  return `  ${parts.join(' · ')}`;
}

/** What a notification shows, and whoever cannot see blocks. */
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
  const more = edges > named.length ? `, and ${number(edges - named.length)} more` : '';
  const which = parts === 1 ? '' : ` (message ${part} of ${parts})`;
  return `${headline}${which}, from ${from} to ${to}: ${named.join(', ')}${more}. ${escapeToFit(digestId, 80)}`;
}

/** A link to an address of the settings. Source: Slack, "Formatting text for app surfaces", links. */
function link(url: string, label: string): string {
  return `<${escapeText(new URL(url).href.replaceAll('|', '%7C'))}|${label}>`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}
