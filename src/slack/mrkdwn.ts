import type { MrkdwnElement } from '@slack/types';

/**
 * A section or context text in mrkdwn. It is verbatim, so that Slack does not turn names into links or mentions.
 * @param text already escaped
 */
export function mrkdwn(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}
