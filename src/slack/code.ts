import { escapeToFit } from './escape.ts';

/**
 * A name from the cluster as code: Slack makes nothing of what stands in it, no link, mention, emoji or emphasis. What
 * would end it, or turn the line around, is replaced.
 * @param limit of the escaped name, without the two backticks
 */
export function code(name: string, limit = 100): string {
  return `\`${escapeToFit(visible(name), limit) || ' '}\``;
}

/** On one line, without characters that are not seen, and without a backtick. */
export function visible(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
    .replaceAll('`', '\u02CB')
    .trim();
}
