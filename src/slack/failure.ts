/** Slack did not take a message. The message of the error names cause and cure, and never the webhook. */
export class SlackFailure extends Error {
  /** Slack's own word where it gave one (`channel_not_found`), else `rate_limited`, `unavailable`, `timeout`, `webhook_unreadable`. */
  readonly kind: string;
  readonly isRetryable: boolean;
  /** How long Slack asked us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: string,
    what: string,
    cure: string,
    { isRetryable = false, retryAfterMs }: { isRetryable?: boolean; retryAfterMs?: number | undefined } = {},
  ) {
    super(`${what}; ${cure}`);
    this.name = 'SlackFailure';
    this.kind = kind;
    this.isRetryable = isRetryable;
    this.retryAfterMs = retryAfterMs;
  }
}
