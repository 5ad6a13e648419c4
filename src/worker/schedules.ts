import { status } from '@grpc/grpc-js';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { jobNames, jobs, type JobName, trailIdField } from '../config/temporal-names.ts';
import { jobTexts } from '../temporal/job-texts.ts';
import { expectOwnTrail } from './trail-owner.ts';

interface JobPolicy {
  /** A missed run is still started within this time. */
  catchupWindow: string;
  /** A hanging run would cause the following runs to be skipped. */
  executionTimeout: string;
  /** Runs all day, so in UTC. */
  isInterval: boolean;
}

const policies: Record<JobName, JobPolicy> = {
  digest: {
    catchupWindow: '6h',
    executionTimeout: '2h',
    isInterval: false,
  },
  certificates: {
    catchupWindow: '10m',
    executionTimeout: '30m',
    isInterval: true,
  },
  completeness: {
    catchupWindow: '6h',
    executionTimeout: '2h',
    isInterval: false,
  },
  freshness: {
    catchupWindow: '1m',
    executionTimeout: '4m',
    isInterval: true,
  },
  housekeeping: {
    catchupWindow: '6h',
    executionTimeout: '1h',
    isInterval: false,
  },
};

/**
 * The settings that the worker puts into a schedule, stored in the memo of each run so that changed settings are
 * detected and a pause does not count as a change.
 */
function fingerprint(job: JobName, config: Config): string {
  const { catchupWindow, executionTimeout } = policies[job];
  return `${config.jobs.crons[job]} ${timeZoneOf(job, config)}; queue ${config.names.taskQueue}, catch-up ${catchupWindow}, at most ${executionTimeout}`;
}

/**
 * Monitoring jobs and hourly jobs run in UTC: in a zone with daylight saving time, a cron expression with minutes or
 * hours pauses twice for 65 minutes in the night when the clocks go back.
 */
function timeZoneOf(job: JobName, { jobs: { crons, timeZone } }: Config): string {
  const hour = crons[job].trim().split(/\s+/)[1] ?? '';
  return policies[job].isInterval || /^\*(\/1)?$/.test(hour) ? 'UTC' : timeZone;
}

type JobAction = ScheduleOptionsStartWorkflowAction<Workflow>;

function scheduleOptions(job: JobName, config: Config, trailId: string): ScheduleOptions<JobAction> {
  const scheduleId = config.names.scheduleIds[job];
  const { workflowType } = jobs[job];
  const { catchupWindow, executionTimeout } = policies[job];
  const { summary, details } = jobTexts[job];
  return {
    scheduleId,
    spec: { cronExpressions: [config.jobs.crons[job]], timezone: timeZoneOf(job, config) },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: scheduleId,
      taskQueue: config.names.taskQueue,
      args: [],
      workflowExecutionTimeout: executionTimeout,
      memo: { schedule: fingerprint(job, config), [trailIdField]: trailId },
      staticSummary: summary,
      staticDetails: details,
    },
    policies: { overlap: 'SKIP', catchupWindow, pauseOnFailure: false },
    state: { note: summary },
  };
}

interface EnsuredSchedules {
  /** Ids of schedules that did not exist. */
  created: string[];
  failed: { scheduleId: string; reason: string }[];
  /** Those with the settings of another worker, which were not changed. */
  foreign: { scheduleId: string; settings: string; ownSettings: string }[];
}

/**
 * Creates the schedules that do not exist and updates those whose settings changed; an operator's pause and note stay.
 * If one fails, the others are still created. Two workers that start at the same time create the same schedules.
 * Only a starting worker replaces the settings of another worker: of workers with different settings, the one that
 * started last decides.
 * @param isStart false: the worker has done this before
 * @throws TemporalFailure `wrong_trail` when one belongs to another database; whatever the client throws if Temporal
 * does not respond
 */
export async function ensureSchedules(
  client: Client,
  config: Config,
  trailId: string,
  log: Logger,
  { isStart = true }: { isStart?: boolean } = {},
): Promise<EnsuredSchedules> {
  const ensured: EnsuredSchedules = { created: [], failed: [], foreign: [] };
  for (const job of jobNames) {
    const scheduleId = config.names.scheduleIds[job];
    try {
      const result = await ensureSchedule(client, scheduleOptions(job, config, trailId), log, isStart);
      if (result === 'created') ensured.created.push(scheduleId);
      else if (result !== 'exists') ensured.foreign.push({ scheduleId, ...result });
    } catch (error) {
      const reason = refusalOf(error);
      if (reason === undefined) throw error;
      ensured.failed.push({ scheduleId, reason });
    }
  }
  return ensured;
}

/** @returns the settings if they are those of another worker */
async function ensureSchedule(
  client: Client,
  options: ScheduleOptions<JobAction>,
  log: Logger,
  isStart: boolean,
): Promise<'created' | 'exists' | { settings: string; ownSettings: string }> {
  const { scheduleId } = options;
  const memo = options.action.memo ?? {};
  let settings: unknown;
  const handle = client.schedule.getHandle(scheduleId);
  try {
    const { action } = await handle.describe();
    expectOwnTrail(scheduleId, action.memo, String(memo[trailIdField]));
    if (isUpToDate(action, options)) return 'exists';
    settings = action.memo?.['schedule'];
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    return (await create(client, options, log)) ? 'created' : 'exists';
  }
  const ownSettings = String(memo['schedule']);
  if (!isStart && typeof settings === 'string' && settings !== ownSettings) return { settings, ownSettings };
  // Without a limit of runs, which would end the schedule.
  await handle.update(({ state: { paused, note } }: ScheduleDescription) => ({
    ...options,
    state: { paused, ...(note === undefined ? {} : { note }) },
  }));
  // Temporal's command line and UI drop the memo when a person edits a schedule.
  if (settings === undefined && !isStart)
    log.warn(
      { scheduleId, schedule: ownSettings },
      'A schedule was edited by hand and has been reset; change the settings of the worker (*_CRON, TIME_ZONE) instead, or pause the schedule',
    );
  else log.info({ scheduleId, schedule: ownSettings }, 'Updated a schedule');
  return 'exists';
}

async function create(client: Client, options: ScheduleOptions<JobAction>, log: Logger): Promise<boolean> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    // Another worker was faster.
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
  log.info({ scheduleId: options.scheduleId }, 'Created a schedule');
  return true;
}

/** @returns why the server rejected the schedule, for example its cron expression; undefined for another error */
function refusalOf(error: unknown): string | undefined {
  // The client throws a TypeError for INVALID_ARGUMENT when it creates a schedule.
  if (error instanceof TypeError) return error.message;
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return isGrpcServiceError(reason) && reason.code === status.INVALID_ARGUMENT ? reason.details : undefined;
}

function isUpToDate(
  action: ScheduleDescription['action'],
  { action: wanted }: ScheduleOptions<JobAction>,
): boolean {
  return (
    action.workflowType === wanted.workflowType &&
    ['schedule', trailIdField].every((field) => action.memo?.[field] === wanted.memo?.[field])
  );
}
