import type { KnownBlock } from '@slack/types';
import type { Severity } from '../coverage/severity.ts';
import { escapeToFit } from './escape.ts';
import type { SlackMessage } from './message.ts';
import { mrkdwn } from './mrkdwn.ts';

/** An alert as plain text; `alertMessage` escapes it. */
export interface AlertText {
  severity: Severity;
  /** Needs action within the hour. */
  isPage?: boolean;
  title: string;
  /** One finding and what to do per paragraph. */
  paragraphs: readonly string[];
  fields: readonly (readonly [label: string, value: string])[];
  /** Shown in small type at the end. */
  context: string;
}

/**
 * Below Slack's limits (Block Kit reference: 3,000 characters per section, 2,000 per field, 150 per header, 10 fields), and
 * together below the 13,000 characters that a message was measured to accept.
 */
const headerLimit = 150;
const paragraphLimit = 1_200;
const maxParagraphs = 6;
const fieldLimit = 300;
const maxFields = 10;
const contextLimit = 500;

const marks: Record<Severity, { emoji: string; word: string }> = {
  good: { emoji: ':white_check_mark:', word: 'Resolved' },
  warning: { emoji: ':warning:', word: 'Warning' },
  critical: { emoji: ':rotating_light:', word: 'Critical' },
};

/** Renders an alert: severity as emoji and word, title, paragraphs, fields, context. Contains no mentions. */
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
