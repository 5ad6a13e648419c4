import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { webhookUrlProblem, type SlackConfig, type WebhookConfig } from '../config/job-config.ts';
import { slackFailure, type SlackFailure } from './failure.ts';
import type { SlackMessage } from './message.ts';

const timeoutMs = 10_000;
/** Where Slack names no time. */
const defaultRetryAfterMs = 30_000;

export type PostResult = 'posted' | 'printed';

/**
 * Posts one message, once; whoever calls decides about trying again. The webhook's URL is read now. In a dry run, or
 * without a webhook, `print` gets the message instead. @throws SlackFailure
 */
export async function postMessage(
  slack: SlackConfig,
  message: SlackMessage,
  print: (message: SlackMessage, why: string) => void,
): Promise<PostResult> {
  const url = slack.dryRun ? undefined : await readWebhook(slack.webhook);
  if (url === undefined) {
    print(message, slack.dryRun ? 'DRY_RUN is set' : 'SLACK_WEBHOOK_URL is empty');
    return 'printed';
  }
  const { status, body, retryAfterMs } = await send(url, { channel: slack.channel, ...message });
  // A proxy, a captive portal or Slack itself can answer 200 with another body: only `ok` means that the message is posted.
  if (status === 200 && body === 'ok') return 'posted';
  throw explainAnswer(status, body, slack.channel, retryAfterMs);
}

async function send(
  url: string,
  payload: object,
): Promise<{ status: number; body: string; retryAfterMs: number }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
      // The URL is a secret: it must not follow a redirect to somewhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      status: response.status,
      body: (await response.text()).trim(),
      retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : defaultRetryAfterMs,
    };
  } catch (error) {
    throw explainSilence(error instanceof Error ? error : new Error(String(error)));
  }
}

/**
 * The URL that is configured now; undefined when there is none, which is also what an optional secret is that was mounted
 * and does not exist: its folder is there, and empty. @throws SlackFailure
 */
async function readWebhook(webhook: WebhookConfig | undefined): Promise<string | undefined> {
  if (!webhook) return undefined;
  if ('url' in webhook) return webhook.url;
  let url: string;
  try {
    url = (await readFile(webhook.urlFile, 'utf8')).trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && (await isThere(dirname(webhook.urlFile)))) return undefined;
    throw slackFailure(
      'webhook_unreadable',
      `SLACK_WEBHOOK_URL_FILE names ${webhook.urlFile}, which cannot be read (${code})`,
      'mount the secret, or correct the path',
      { isRetryable: true },
    );
  }
  if (url === '') return undefined;
  const problem = webhookUrlProblem(url);
  if (problem)
    throw slackFailure(
      'webhook_unreadable',
      `what SLACK_WEBHOOK_URL_FILE names ${problem.split(';')[0]}`,
      'correct the secret',
      { isRetryable: true },
    );
  return url;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Answers and their cures. Source: Slack, "Sending messages using incoming webhooks", handling errors. */
function explainAnswer(status: number, body: string, channel: string, retryAfterMs: number): SlackFailure {
  if (status === 429)
    return slackFailure(
      'rate_limited',
      `Slack takes no more messages for ${Math.ceil(retryAfterMs / 1000)} s (429)`,
      'it is tried again then',
      { isRetryable: true, retryAfterMs },
    );
  if (status >= 500)
    return slackFailure(
      'unavailable',
      `Slack answered with an error of its own (${status})`,
      'it is tried again; see https://slack-status.com',
      { isRetryable: true },
    );
  if (status < 400 && !/^[a-z_]{3,60}$/.test(body))
    return slackFailure(
      'not_slack',
      `the answer has status ${status}, but its body is not "ok": it did not come from Slack`,
      'see whether a proxy or captive portal intercepts hooks.slack.com, and SLACK_WEBHOOK_URL; the message is posted again',
      { isRetryable: true },
    );
  const word = /^[a-z_]{3,60}$/.test(body) ? body : `http_${status}`;
  return slackFailure(word, `Slack refused the message with ${status} ${word}`, cureOf(word, channel));
}

function cureOf(word: string, channel: string): string {
  switch (word) {
    case 'channel_not_found':
      return `the webhook's app is no member of ${channel}: invite it there, or ${otherChannel(channel)}`;
    case 'channel_is_archived':
      return `${channel} is archived: unarchive it, or ${otherChannel(channel)}`;
    case 'no_service':
    case 'no_service_id':
    case 'no_team':
    case 'team_disabled':
    case 'invalid_token':
    case 'no_active_hooks':
      return 'the webhook is gone or disabled: make a new one, and put its address where SLACK_WEBHOOK_URL comes from';
    case 'action_prohibited':
    case 'posting_to_general_channel_denied':
      return `an administrator of the workspace forbids posting to ${channel}: ask for it, or set SLACK_CHANNEL to another channel`;
    case 'user_not_found':
      return `there is no user ${channel}: correct SLACK_CHANNEL`;
    case 'invalid_payload':
    case 'invalid_blocks':
    case 'no_text':
    case 'too_many_attachments':
      return 'this is a defect of the message: please report it with the run in the Temporal UI; DRY_RUN=1 prints it';
    default:
      return 'see whether SLACK_WEBHOOK_URL and SLACK_CHANNEL belong together';
  }
}

function otherChannel(channel: string): string {
  return channel === '#alerts'
    ? 'set SLACK_CHANNEL to a channel that it is a member of'
    : 'set SLACK_CHANNEL=#alerts';
}

function explainSilence(error: Error): SlackFailure {
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  if (error.name === 'TimeoutError')
    return slackFailure(
      'timeout',
      `Slack did not answer within ${timeoutMs / 1000} s; the message may have been posted`,
      'it is tried again; see that egress to hooks.slack.com is allowed',
      { isRetryable: true },
    );
  return slackFailure(
    'unreachable',
    `Slack cannot be reached (${code})`,
    'it is tried again; see that egress to hooks.slack.com is allowed, and the DNS of this pod',
    { isRetryable: true },
  );
}
