import { CancelledFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import { statusQuery } from '../../src/workflows/messages.ts';
import type { TrailStatus } from '../../src/workflows/status.ts';
import { until } from '../support/poll.ts';

export function untilStatus(handle: WorkflowHandle, what: string, is: (status: TrailStatus) => boolean) {
  return until(what, async () => {
    const status = await handle.query(statusQuery);
    return is(status) ? status : undefined;
  });
}

/** Cancels the supervisor and expects it to end as cancelled. */
export async function end(handle: WorkflowHandle): Promise<void> {
  await handle.cancel();
  await expectCancelled(handle);
}

export async function expectCancelled(handle: WorkflowHandle): Promise<void> {
  const error: unknown = await handle.result().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error instanceof WorkflowFailedError ? error.cause : error).toBeInstanceOf(CancelledFailure);
}
