import { escapeToFit } from './escape.ts';

/**
 * Formats a name from the cluster as inline code, in which Slack renders no link, mention, emoji or emphasis. Characters that
 * would end the code or change the text direction are replaced.
 * @param limit of the escaped name, without the two backticks
 */
export function code(name: string, limit = 100): string {
  return `\`${escapeToFit(visible(name), limit) || ' '}\``;
}

/** Replaces line breaks, invisible characters and backticks. */
export function visible(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD')
    .replaceAll('`', '\u02CB')
    .trim();
}
