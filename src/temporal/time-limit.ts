import type { Client } from '@temporalio/client';

/**
 * Runs calls to Temporal that together may take this long, then fail with DEADLINE_EXCEEDED. A deadline applies to all
 * attempts of a call, of which the client makes up to ten; an abort signal cancels only the first one (SDK 1.24), so a
 * call to a server that hangs would never end once its connection has broken.
 */
export function inTime<Result>(
  client: Pick<Client, 'withDeadline'>,
  limitMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  return client.withDeadline(Date.now() + limitMs, work);
}
