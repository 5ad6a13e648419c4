import type { CompletenessReport, NamespaceCompleteness } from '../reports/completeness.ts';
import type { CompletenessNews, VerdictChange } from '../reports/completeness-news.ts';
import type { Verdict } from '../coverage/verdict.ts';
import { zonedTime, type ZonedTime } from '../time/zoned-time.ts';
import { counted, formatCount } from '../text/counted.ts';
import { code } from './code.ts';
import { escapeText, escapeToFit } from './escape.ts';
import { maxBlocksJson, maxSectionText } from './limits.ts';
import type { SlackMessage } from './message.ts';
import { context, section } from './pack.ts';

/** JSON characters available to all lists together; the rest is for the other blocks. */
const roomForLists = maxBlocksJson - 3_500;
const nameLength = 80;

interface List {
  /** Escaped mrkdwn. */
  title: string;
  lines: string[];
}

/**
 * Renders a completeness report in Block Kit, always as one message. Rows that do not fit are counted, with the command that
 * shows them.
 * @param groups the changes, by verdict
 */
export function completenessMessage(
  reportId: string,
  report: CompletenessReport,
  { kind, changes }: CompletenessNews,
  groups: readonly [Verdict, readonly VerdictChange[]][],
): SlackMessage {
  const times = zonedTime(report.timeZone);
  const headline = headlineOf(kind, changes.length);
  const lists = [
    ...groups.map(([verdict, group]) => changeList(verdict, group, times)),
    ...(kind === 'weekly' ? openLists(report, times) : []),
  ];
  return {
    text: `${headline}. ${countsText(report)}. ${code(reportId, 80)}`,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: headline, emoji: true } },
      section(`${countsText(report)}\n${watchedText(report, times)}`),
      ...lists.map((list) => section(fitList(list, roomForLists / lists.length))),
      context(
        `${thresholdsText(report)} All namespaces: ${code('flow-trail completeness')}`,
        code(reportId, 80),
      ),
    ],
  };
}

function headlineOf(kind: CompletenessNews['kind'], changes: number): string {
  const changed = `${counted(changes, 'namespace')} changed`;
  switch (kind) {
    case 'first':
      return 'Allowlist completeness: first report';
    case 'weekly':
      return `Allowlist completeness: weekly report, ${changes === 0 ? 'no changes' : changed}`;
    case 'changes':
      return `Allowlist completeness: ${changed}`;
  }
}

function countsText({ counts, namespaces: { length } }: CompletenessReport): string {
  const { complete, unstable, learning, stale } = counts;
  return `${counted(length, 'namespace')}: ${formatCount(complete)} complete, ${formatCount(unstable)} unstable, ${formatCount(learning)} learning, ${formatCount(stale)} stale`;
}

function watchedText(
  { trailBegan, coveredDays, uncoveredDays, gapCount }: CompletenessReport,
  { exact }: ZonedTime,
): string {
  if (trailBegan === null) return 'No flows observed yet.';
  const since = `Fully observed: ${coveredDays} days since ${escapeText(exact(trailBegan))}`;
  if (gapCount === 0) return `${since}; no gaps`;
  return `${since}. Not fully observed: ${uncoveredDays} days in ${counted(gapCount, 'time range')}: ${code('flow-trail coverage --gaps')}`;
}

function thresholdsText({ thresholds }: CompletenessReport): string {
  const { minimumDays, stableDays, staleDays } = thresholds;
  return `Learning: observed for fewer than ${minimumDays} days. Unstable: new egress edge in the last ${stableDays} days. Stale: not seen for ${staleDays} days. Only covered (fully observed) days count.`;
}

function changeList(verdict: Verdict, changes: readonly VerdictChange[], times: ZonedTime): List {
  return {
    title: `*${changeTitle(verdict)}*  ${formatCount(changes.length)}`,
    lines: changes.map(({ row, was }) => {
      const before = was === undefined ? 'new' : `was ${escapeText(was)}`;
      return `${line(row, times)} · ${before}`;
    }),
  };
}

function changeTitle(verdict: Verdict): string {
  switch (verdict) {
    case 'complete':
      return 'Newly complete';
    case 'unstable':
      return 'Newly unstable';
    case 'learning':
      return 'Newly learning';
    case 'stale':
      return 'Newly stale';
  }
}

/** The namespaces that are not complete, and complete ones with hours that were never observed. */
function openLists({ namespaces: rows }: CompletenessReport, times: ZonedTime): List[] {
  const of = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict);
  const holes = of('complete').filter(({ neverCovered }) => neverCovered.length > 0);
  return [
    { title: 'Unstable', rows: of('unstable') },
    { title: 'Learning', rows: of('learning') },
    { title: 'Stale', rows: of('stale') },
    { title: 'Complete, but some hours of the week were never observed', rows: holes },
  ]
    .filter((list) => list.rows.length > 0)
    .map((list) => ({
      title: `*${list.title}*  ${formatCount(list.rows.length)}`,
      lines: list.rows.map((row) => line(row, times)),
    }));
}

function line(row: NamespaceCompleteness, { minute }: ZonedTime): string {
  return `${code(row.namespace, nameLength)}  ${detail(row, (time) => escapeText(minute(time)))}`;
}

function detail(row: NamespaceCompleteness, time: (time: Date) => string): string {
  switch (row.verdict) {
    case 'complete': {
      const never =
        row.neverCovered.length === 0
          ? ''
          : ` · never observed: ${escapeToFit(row.neverCovered.join(', '), 200)}`;
      return `since ${time(row.since)} · ${counted(row.egressEdges, 'edge')}${never}`;
    }
    case 'unstable':
      return `newest edge ${time(row.since)}`;
    case 'learning':
      return `observed for ${row.coveredDays} days`;
    case 'stale':
      return row.lastSeen === null ? 'never seen' : `last seen ${time(row.lastSeen)}`;
  }
}

/** The lines that fit, then the count of the rest. */
function fitList({ title, lines }: List, room: number): string {
  const rest = (count: number) =>
    count === 0 ? '' : `\nand ${formatCount(count)} more: ${code('flow-trail completeness')}`;
  let text = title;
  for (const [index, line] of lines.entries()) {
    const longer = `${text}\n${line}`;
    const whole = `${longer}${rest(lines.length - index - 1)}`;
    if (whole.length > maxSectionText || JSON.stringify(section(whole)).length > room)
      return `${text}${rest(lines.length - index)}`;
    text = longer;
  }
  return text;
}
