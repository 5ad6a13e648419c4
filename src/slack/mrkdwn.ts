import type { MrkdwnElement } from '@slack/types';

/** @param text escaped. Verbatim, so that Slack makes no links or mentions from names. */
export function mrkdwn(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}
