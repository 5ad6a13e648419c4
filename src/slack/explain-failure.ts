import { errorCode } from '../failure/thrown.ts';
import { slackFailure, type SlackFailure } from './failure.ts';

export interface SlackResponse {
  status: number;
  body: string;
  retryAfterMs: number;
}

/** The failure of a rejected post. Source: Slack, "Sending messages using incoming webhooks", handling errors. */
export function explainResponse(
  { status, body, retryAfterMs }: SlackResponse,
  channel: string,
): SlackFailure {
  if (status === 429)
    return slackFailure(
      'rate_limited',
      `Slack is rate-limiting this webhook for ${Math.ceil(retryAfterMs / 1000)} s (429)`,
      'no action needed; the message is sent again after that time',
      { isRetryable: true, retryAfterMs },
    );
  if (status >= 500)
    return slackFailure(
      'unavailable',
      `Slack returned a server error (${status})`,
      'the post is retried; check https://slack-status.com',
      { isRetryable: true },
    );
  const word = errorWord(body);
  if (word === undefined)
    return slackFailure(
      'not_slack',
      `the response (status ${status}) is neither "ok" nor a Slack error code, so it did not come from Slack`,
      'check SLACK_WEBHOOK_URL and whether a proxy or captive portal intercepts hooks.slack.com; the post is retried',
      { isRetryable: true },
    );
  return slackFailure(word, `Slack rejected the message with ${status} ${word}`, cureOf(word, channel));
}

function cureOf(word: string, channel: string): string {
  switch (word) {
    case 'channel_not_found':
      return `the webhook's app is not a member of ${channel}; invite it, or ${otherChannel(channel)}`;
    case 'channel_is_archived':
      return `${channel} is archived; unarchive it, or ${otherChannel(channel)}`;
    case 'no_service':
    case 'no_service_id':
    case 'no_team':
    case 'team_disabled':
    case 'invalid_token':
    case 'no_active_hooks':
      return 'the webhook was deleted or disabled; create a new one and update SLACK_WEBHOOK_URL';
    case 'action_prohibited':
    case 'posting_to_general_channel_denied':
      return `a workspace administrator has disabled posting to ${channel}; ask for permission, or set SLACK_CHANNEL to another channel`;
    case 'user_not_found':
      return `the user ${channel} does not exist; correct SLACK_CHANNEL`;
    case 'invalid_payload':
    case 'invalid_blocks':
    case 'no_text':
    case 'too_many_attachments':
      return 'this is a bug in flow-trail: report it with the message, which DRY_RUN=1 prints';
    default:
      return 'check that SLACK_WEBHOOK_URL and SLACK_CHANNEL belong to the same workspace';
  }
}

function otherChannel(channel: string): string {
  return channel === '#alerts'
    ? 'set SLACK_CHANNEL to a channel the app is a member of'
    : 'set SLACK_CHANNEL=#alerts';
}

/** The failure of a post that got no response. */
export function explainConnection(error: Error, timeoutMs: number): SlackFailure {
  const code = errorCode(error.cause, error.cause instanceof Error ? error.cause.name : error.name);
  if (error.name === 'TimeoutError')
    return slackFailure(
      'timeout',
      `Slack did not respond within ${timeoutMs / 1000} s; the message may have been posted`,
      'the post is retried; check that egress to hooks.slack.com is allowed',
      { isRetryable: true },
    );
  return slackFailure(
    'unreachable',
    `Slack cannot be reached (${code})`,
    'the post is retried; check that egress to hooks.slack.com is allowed and that DNS works in this pod',
    { isRetryable: true },
  );
}

/** Slack's error code: the body's first word (`invalid_blocks`), or `error` in JSON. */
function errorWord(body: string): string | undefined {
  return /^([a-z_]{3,60})(?:$|:)/.exec(body)?.[1] ?? /^\{.*"error"\s*:\s*"([a-z_]{3,60})"/s.exec(body)?.[1];
}
