import type { KnownBlock, MrkdwnElement } from '@slack/types';
import type { Severity } from '../coverage/severity.ts';
import { escapeToFit } from './escape.ts';
import type { SlackMessage } from './message.ts';

/** What people are told when something changed; plain text, which is escaped here. */
export interface AlertText {
  severity: Severity;
  /** Someone has to act within the hour. */
  isPage?: boolean;
  title: string;
  /** What is so, and what cures it: a paragraph each. */
  paragraphs: readonly string[];
  fields: readonly (readonly [label: string, value: string])[];
  /** The small print. */
  context: string;
}

/**
 * Within Slack's limits (Block Kit reference: 3,000 characters of a section, 2,000 of a field, 150 of a header, 10 fields),
 * and so that all together stay under the 13,000 characters that a message may hold by experience.
 */
const headerLimit = 150;
const paragraphLimit = 1_200;
const maxParagraphs = 6;
const fieldLimit = 300;
const maxFields = 10;
const contextLimit = 500;

const marks: Record<Severity, { emoji: string; word: string }> = {
  good: { emoji: ':white_check_mark:', word: 'Good again' },
  warning: { emoji: ':warning:', word: 'Warning' },
  critical: { emoji: ':rotating_light:', word: 'Critical' },
};

/** Renders an alert: the severity as mark and word, a title, what is so, fields, and small print. Mentions nobody. */
export function alertMessage({
  severity,
  isPage = false,
  title,
  paragraphs,
  fields,
  context,
}: AlertText): SlackMessage {
  const { emoji, word } = marks[severity];
  const heading = `${isPage ? 'Page' : word}: ${title}`;
  const filled = paragraphs.filter((text) => text.trim() !== '');
  const shown = filled.slice(0, maxParagraphs).map((text) => escapeToFit(text, paragraphLimit));
  if (filled.length > shown.length) shown.push(`… and ${filled.length - shown.length} more`);
  const blocks: KnownBlock[] = [
    {
      type: 'header',
      text: { type: 'plain_text', text: escapeToFit(`${emoji} ${heading}`, headerLimit), emoji: true },
    },
    ...shown.map((text): KnownBlock => ({ type: 'section', text: mrkdwn(text) })),
  ];
  if (fields.length > 0)
    blocks.push({
      type: 'section',
      fields: fields
        .slice(0, maxFields)
        .map(([label, value]) =>
          mrkdwn(`*${escapeToFit(label, 100)}*\n${escapeToFit(value === '' ? '-' : value, fieldLimit)}`),
        ),
    });
  blocks.push({
    type: 'context',
    elements: [mrkdwn(escapeToFit(context, contextLimit))],
  });
  return { text: `${escapeToFit(heading, headerLimit)}\n${shown[0] ?? ''}`, blocks };
}

/** Verbatim: what looks like an address, a channel or a person becomes no link and no mention. */
function mrkdwn(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}
