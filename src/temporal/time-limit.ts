import type { Client } from '@temporalio/client';

/**
 * Runs calls to Temporal that together may take this long, then fail with DEADLINE_EXCEEDED. The client makes up to ten
 * attempts of a call. A deadline applies to all of them, but an abort signal cancels only the first (SDK 1.24): a call to
 * a server that hangs would not end once the connection has broken.
 */
export function inTime<Result>(
  client: Pick<Client, 'withDeadline'>,
  limitMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  return client.withDeadline(Date.now() + limitMs, work);
}
