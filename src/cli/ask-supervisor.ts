import {
  WorkflowNotFoundError,
  type Payload,
  type PayloadCodec,
  type ProtoFailure,
} from '@temporalio/common';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { errorLine } from '../failure/thrown.ts';
import type { Progress } from '../ingest/summary.ts';
import { loadTrailNames } from '../config/cluster-config.ts';
import { failureMessage } from '../temporal/failure-message.ts';
import { temporalFailure } from '../temporal/failure.ts';
import { pausedReading } from '../temporal/paused-reading.ts';
import { withTemporal } from './connect/with-temporal.ts';
import { taskProblemOf, type TaskProblem } from '../temporal/task-problem.ts';
import { statusQuery } from '../workflows/messages.ts';
import { payloadConverter } from '../workflows/payload-converter.ts';
import { readProgress } from '../workflows/received.ts';
import { withProgress, type TrailStatus } from '../workflows/status.ts';
import { trailIdIn } from '../temporal/trail-memo.ts';

/** The current attempt of a reader's activity. */
interface ReaderNow {
  activity: string;
  attempt: number;
  /** Paused by an operator, in the Temporal UI or with its command line. */
  isPaused: boolean;
  /** Why the previous attempt failed. */
  lastFailure: string | undefined;
  /** From its heartbeat: newer than the supervisor's state. */
  progress: Progress | undefined;
}

export interface SupervisorNow {
  /** Temporal's status, for example `RUNNING` or `TERMINATED`. */
  state: string;
  /** Of its database; undefined if an older version started it. */
  trailId: string | undefined;
  startedAt: Date;
  closedAt: Date | undefined;
  /** Present while its workflow tasks fail. */
  problem: TaskProblem | undefined;
  /** What a person has paused, and how to continue. */
  paused: string | undefined;
  readers: ReaderNow[];
  /** Undefined if no worker responds to the query. */
  status: TrailStatus | undefined;
  /** Why no worker responds to the query. */
  unanswered: string | undefined;
}

/**
 * Describes the supervisor, queries its status, and adds newer values from its readers' heartbeats.
 * @returns undefined when there is no supervisor
 * @throws ConfigFailure, TemporalFailure
 */
export function askSupervisor(): Promise<SupervisorNow | undefined> {
  const { supervisorId } = loadTrailNames(process.env);
  return withTemporal(async ({ client, codec, inTime }) => {
    try {
      const description = await inTime(() => client.workflow.getHandle(supervisorId).describe());
      const state = description.status.name;
      // A closed workflow still returns its last state.
      const asked = state === 'RUNNING' ? await query(client, supervisorId, inTime) : {};
      const readers = await readersOf(client, description, codec);
      return {
        state,
        trailId: trailIdIn(description.memo),
        startedAt: description.startTime,
        closedAt: description.closeTime,
        problem: state === 'RUNNING' ? await inTime(() => taskProblemOf(client, description)) : undefined,
        paused: pausedReading(description)?.message,
        readers,
        status: asked.status && withHeartbeats(asked.status, readers),
        unanswered: asked.unanswered,
      };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  });
}

async function query(
  client: Client,
  supervisorId: string,
  inTime: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>,
): Promise<{ status?: TrailStatus; unanswered?: string }> {
  try {
    return {
      status: await inTime(() => client.workflow.getHandle(supervisorId).query(statusQuery)),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    const reason = errorLine(error);
    const failure = temporalFailure(
      'no_worker',
      `No worker responds to queries to the supervisor (${reason})`,
      'Check that the worker is running; see its log and /readyz',
    );
    return { unanswered: failure.message };
  }
}

/** The SDK's failure of an attempt whose worker was stopped, for example by a rollout; not a problem of the reader. */
function isShutdown(failure: ProtoFailure | null | undefined): boolean {
  return failure?.applicationFailureInfo?.type === 'WorkerShutdown';
}

function readersOf(
  client: Client,
  { raw }: WorkflowExecutionDescription,
  codec: PayloadCodec,
): Promise<ReaderNow[]> {
  return Promise.all(
    (raw.pendingActivities ?? []).map(async (pending) => ({
      activity: pending.activityType?.name ?? 'unknown',
      attempt: pending.attempt ?? 1,
      isPaused: pending.paused === true,
      lastFailure: isShutdown(pending.lastFailure)
        ? undefined
        : await failureMessage(client, pending.lastFailure),
      progress: await heartbeatOf(pending.heartbeatDetails?.payloads?.[0], codec),
    })),
  );
}

async function heartbeatOf(
  payload: Payload | null | undefined,
  codec: PayloadCodec,
): Promise<Progress | undefined> {
  const [decoded] = payload ? await codec.decode([payload]) : [];
  return decoded && readProgress(payloadConverter.fromPayload(decoded));
}

function withHeartbeats(status: TrailStatus, readers: readonly ReaderNow[]): TrailStatus {
  let merged = status;
  for (const { progress } of readers)
    if (progress && progress.at > merged[progress.reader].asOf) merged = withProgress(merged, progress);
  return merged;
}
