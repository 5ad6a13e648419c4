import { Failure, isFailureOf } from '../failure/failure.ts';

/**
 * Slack did not accept a message, or could not be reached. Never contains the webhook URL. `kind` is Slack's error code
 * if it sent one (`channel_not_found`), else `rate_limited`, `unavailable`, `timeout`, `unreachable` or
 * `webhook_unreadable`.
 */
export type SlackFailure = Failure<'slack'> & {
  /** From Slack's Retry-After header. */
  readonly retryAfterMs: number | undefined;
};

export function slackFailure(
  kind: string,
  what: string,
  cure: string,
  { isRetryable = false, retryAfterMs }: { isRetryable?: boolean; retryAfterMs?: number | undefined } = {},
): SlackFailure {
  const failure = new Failure({ system: 'slack', kind, what, cure, retryable: isRetryable });
  return Object.assign(failure, { retryAfterMs });
}

export function isSlackFailure(error: unknown): error is SlackFailure {
  return isFailureOf('slack', error);
}
