import { WorkflowNotFoundError } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Deps } from '../ingest/deps.ts';
import type { Temporal } from '../temporal/connection.ts';
import { explainNoAnswer } from '../temporal/explain-failure.ts';
import { progressSignal } from '../workflows/messages.ts';

const timeoutMs = 10_000;

/** Sends progress to the supervisor, for display only: if that fails, it is logged once and the readers continue. */
export function reportToSupervisor(temporal: Temporal, log: Logger): Deps['report'] {
  const { address, namespace } = temporal;
  let isAway = false;
  return async (workflowId, progress) => {
    try {
      // A deadline would apply to each try, and the client makes ten.
      const { client } = temporal;
      await client.withAbortSignal(AbortSignal.timeout(timeoutMs), () =>
        client.workflow.getHandle(workflowId).signal(progressSignal, progress),
      );
      if (isAway) log.info({ address }, 'Temporal answers again');
      isAway = false;
    } catch (error) {
      if (isAway || error instanceof WorkflowNotFoundError) return;
      isAway = true;
      log.warn(`${explainNoAnswer(address, namespace, error).message} The current windows continue`);
    }
  };
}
