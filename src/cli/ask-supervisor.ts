import { defaultPayloadConverter, WorkflowNotFoundError, type Payload } from '@temporalio/common';
import type { Progress } from '../ingest/summary.ts';
import { supervisorWorkflowId } from '../config/names.ts';
import { explainNoAnswer } from '../temporal/explain-failure.ts';
import { temporalFailure, type TemporalFailure } from '../temporal/failure.ts';
import { temporalConfig } from '../temporal/settings.ts';
import { connectClient, temporalAddress, temporalNamespace } from '../temporal/connection.ts';
import { statusQuery } from '../workflows/messages.ts';
import { withProgress, type TrailStatus } from '../workflows/status.ts';

const answerTimeoutMs = 10_000;

/** What a reader's present attempt says of itself: its heartbeat, and why the one before it failed. */
export interface ReaderNow {
  activity: string;
  attempt: number;
  lastFailure: string | undefined;
  /** Newer than what the supervisor was told, at most as old as the heartbeat's throttle. */
  progress: Progress | undefined;
}

/**
 * What the supervisor knows, and what is newer in the heartbeats of its readers. @throws ConfigFailure, TemporalFailure
 */
export async function askSupervisor(): Promise<{ status: TrailStatus; readers: ReaderNow[] }> {
  const config = temporalConfig();
  const [address, namespace] = [temporalAddress(config), temporalNamespace(config)];
  const { client, connection } = await connectClient(config);
  const inTime = <Answer>(ask: () => Promise<Answer>) =>
    connection.withDeadline(Date.now() + answerTimeoutMs, ask);
  try {
    const handle = client.workflow.getHandle(supervisorWorkflowId);
    const { raw } = await inTime(() => handle.describe());
    const readers = (raw.pendingActivities ?? []).map((pending) => ({
      activity: pending.activityType?.name ?? 'unknown',
      attempt: pending.attempt ?? 1,
      lastFailure: pending.lastFailure?.message ?? undefined,
      progress: heartbeatOf(pending.heartbeatDetails?.payloads?.[0]),
    }));
    const told = await inTime(() => handle.query(statusQuery)).catch((error: unknown) => {
      throw noWorker(readers, error);
    });
    let status = told;
    for (const { progress } of readers)
      if (progress && progress.at > status[progress.reader].asOf) status = withProgress(status, progress);
    return { status, readers };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw temporalFailure(
        'no_supervisor',
        `There is no supervisor in namespace ${namespace} of Temporal at ${address}`,
        'start the worker, which starts it, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE',
      );
    throw explainNoAnswer(address, namespace, error);
  } finally {
    await connection.close();
  }
}

function heartbeatOf(payload: Payload | null | undefined): Progress | undefined {
  if (!payload) return undefined;
  const details: unknown = defaultPayloadConverter.fromPayload(payload);
  return isProgress(details) ? details : undefined;
}

function isProgress(details: unknown): details is Progress {
  return (
    typeof details === 'object' &&
    details !== null &&
    'reader' in details &&
    (details.reader === 'stream' || details.reader === 'settle') &&
    'at' in details &&
    typeof details.at === 'string' &&
    'state' in details
  );
}

/** Queries are answered by a worker: without one, Temporal still knows why the last attempts failed. */
function noWorker(readers: readonly ReaderNow[], error: unknown): TemporalFailure {
  const why = error instanceof Error ? error.message.split('\n')[0] : 'unknown error';
  const known = readers
    .filter(({ lastFailure }) => lastFailure !== undefined)
    .map(({ activity, lastFailure }) => ` ${activity} failed last with: ${lastFailure}`);
  return temporalFailure(
    'no_worker',
    `The supervisor is there, but no worker answers for it (${why})`,
    ['see whether the worker runs: its log, and /readyz.', ...known].join(''),
  );
}
