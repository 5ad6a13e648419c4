import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { jobNames, type JobName, type TrailNames } from '../config/temporal-names.ts';
import { trailIdIn } from './trail-memo.ts';
import type { TemporalFailure } from './failure.ts';
import { pausedReading } from './paused-reading.ts';
import { taskProblemOf } from './task-problem.ts';

/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const workflowTasks = 1;
/** A poll without work lasts 60 s; Temporal lists a poller for minutes after it left. */
const polledWithinMs = 100_000;

interface ScheduleFacts {
  job: JobName;
  scheduleId: string;
  exists: boolean;
  isPaused: boolean;
  /** The note given with the pause; may be empty. */
  note: string;
  /** When the newest run was due. */
  lastDueAt: Date | undefined;
  nextDueAt: Date | undefined;
}

/** What Temporal stores about a trail. */
export interface ControlFacts {
  supervisor: {
    /** Temporal's status, for example `RUNNING`; undefined if there is no run. */
    state: string | undefined;
    /** Of its database; undefined if an older version started it. */
    trailId: string | undefined;
    /** Why its workflow task fails. */
    taskProblem: string | undefined;
    /** Why a reader is failing. */
    readerProblem: string | undefined;
    /** What a person has paused, and how to continue. */
    paused: Pick<TemporalFailure, 'what' | 'cure'> | undefined;
  };
  /** Workers that polled the task queue in the last 100 seconds. */
  pollers: number;
  schedules: readonly ScheduleFacts[];
}

/**
 * @param clockAheadMs how far this machine's clock is ahead of the servers', milliseconds
 * @throws the client's errors
 */
export async function readControlFacts(
  client: Client,
  { taskQueue, supervisorId, scheduleIds }: TrailNames,
  clockAheadMs: Promise<number>,
): Promise<ControlFacts> {
  const [supervisor, pollers, schedules] = await Promise.all([
    readSupervisor(client, supervisorId),
    clockAheadMs.then((aheadMs) => readPollers(client, taskQueue, aheadMs)),
    Promise.all(jobNames.map((job) => readSchedule(client, job, scheduleIds[job]))),
  ]);
  return { supervisor, pollers, schedules };
}

/**
 * How many workers polled the task queue in the last 100 seconds.
 * @param clockAheadMs how far this machine's clock is ahead of the servers', milliseconds
 * @throws the client's errors
 */
export async function readPollers(client: Client, taskQueue: string, clockAheadMs = 0): Promise<number> {
  const queue = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: workflowTasks,
  });
  // Temporal's times are by the servers' clock, not the trail's.
  const since = Date.now() - clockAheadMs - polledWithinMs;
  return (queue.pollers ?? []).filter(
    ({ lastAccessTime }) => lastAccessTime && tsToMs(lastAccessTime) >= since,
  ).length;
}

async function readSupervisor(client: Client, supervisorId: string): Promise<ControlFacts['supervisor']> {
  try {
    const description = await client.workflow.getHandle(supervisorId).describe();
    const state = description.status.name;
    const problem = state === 'RUNNING' ? await taskProblemOf(client, description) : undefined;
    return {
      state,
      trailId: trailIdIn(description.memo),
      taskProblem: problem && `${problem.cause}, attempt ${problem.attempt}`,
      readerProblem: state === 'RUNNING' ? readerProblemIn(description.memo?.['state']) : undefined,
      paused: pausedReading(description),
    };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return {
      state: undefined,
      trailId: undefined,
      taskProblem: undefined,
      readerProblem: undefined,
      paused: undefined,
    };
  }
}

async function readSchedule(client: Client, job: JobName, scheduleId: string): Promise<ScheduleFacts> {
  try {
    const { state, info } = await client.schedule.getHandle(scheduleId).describe();
    return {
      job,
      scheduleId,
      exists: true,
      isPaused: state.paused,
      note: state.note ?? '',
      lastDueAt: info.recentActions.at(-1)?.scheduledAt,
      nextDueAt: info.nextActionTimes[0],
    };
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    return {
      job,
      scheduleId,
      exists: false,
      isPaused: false,
      note: '',
      lastDueAt: undefined,
      nextDueAt: undefined,
    };
  }
}

/** @param memo the supervisor's state, `failing: <error>` while a reader fails (`stateText` in src/workflows/details.ts) */
function readerProblemIn(memo: unknown): string | undefined {
  return typeof memo === 'string' ? /^failing: (.*)/s.exec(memo)?.[1] : undefined;
}
