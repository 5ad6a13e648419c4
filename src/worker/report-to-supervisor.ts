import { WorkflowNotFoundError } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Deps, SupervisorRun } from '../ingest/deps.ts';
import type { Progress } from '../ingest/summary.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import { inTime } from '../temporal/time-limit.ts';
import type { Clock } from '../time/clock.ts';
import { progressSignal } from '../workflows/messages.ts';
import { ProgressNews } from './progress-news.ts';

const timeoutMs = 10_000;

/** Sends reports to the supervisor, for display only: a failure is logged once, and the readers continue. */
export function reportToSupervisor(temporal: Temporal, clock: Clock, log: Logger): Deps['report'] {
  const { address } = temporal;
  const news = new ProgressNews();
  let isAway = false;
  const send = async ({ workflowId }: SupervisorRun, progress: Progress) => {
    try {
      const { client } = temporal;
      await inTime(client, timeoutMs, () =>
        client.workflow.getHandle(workflowId).signal(progressSignal, progress),
      );
      if (isAway) log.info({ address }, 'Temporal is available again');
      isAway = false;
    } catch (error) {
      news.lost(progress.reader);
      if (isAway || error instanceof WorkflowNotFoundError) return;
      isAway = true;
      log.warn(
        { address, reason: (await temporal.explain(error)).message },
        'Cannot send progress to Temporal; the readers continue',
      );
    }
  };
  return (supervisor, progress) => {
    const isSent = news.take(supervisor.runId, progress, clock.elapsed());
    if (isSent) void send(supervisor, progress);
    return isSent;
  };
}
