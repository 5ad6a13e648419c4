import type { SlackConfig } from '../config/job-config.ts';
import { readSecretUrl } from '../config/read-secret-url.ts';
import { explainConnection, explainResponse, type SlackResponse } from './explain-failure.ts';
import { slackFailure } from './failure.ts';
import type { SlackMessage } from './message.ts';

const timeoutMs = 10_000;
/** Used if Slack sends no Retry-After header. */
const defaultRetryAfterMs = 30_000;

export type PostResult = 'posted' | 'printed';

/**
 * Posts one message, once; the caller decides whether to retry. Reads the webhook URL on every call. In a dry run, or
 * without a webhook, calls `print` instead. @throws SlackFailure
 */
export async function postMessage(
  slack: SlackConfig,
  message: SlackMessage,
  print: (message: SlackMessage, reason: string) => void,
): Promise<PostResult> {
  const url = slack.dryRun ? undefined : await readWebhook(slack.webhook);
  if (url === undefined) {
    print(message, slack.dryRun ? 'DRY_RUN is set' : 'SLACK_WEBHOOK_URL is empty');
    return 'printed';
  }
  const response = await send(url, { channel: slack.channel, ...message });
  // A proxy or captive portal can return 200 with a different body, which does not mean that Slack posted the message.
  if (response.status === 200 && isAccepted(response.body)) return 'posted';
  throw explainResponse(response, slack.channel);
}

async function send(url: string, payload: object): Promise<SlackResponse> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
      // The URL is a secret: do not send it to a redirect target.
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
    throw explainConnection(error instanceof Error ? error : new Error(String(error)), timeoutMs);
  }
}

/** The configured URL; undefined if there is none. @throws SlackFailure */
async function readWebhook(webhook: SlackConfig['webhook']): Promise<string | undefined> {
  const reading = await readSecretUrl(webhook, 'SLACK_WEBHOOK_URL');
  if ('url' in reading) return reading.url;
  throw slackFailure('webhook_unreadable', reading.problem, reading.cure, { isRetryable: true });
}

/**
 * `ok`, or the JSON that Slack's other endpoints and Rocket.Chat return: rejecting it would post the message again.
 */
function isAccepted(body: string): boolean {
  return body === 'ok' || /^\{\s*"(?:ok|success)"\s*:\s*true\b/.test(body);
}
