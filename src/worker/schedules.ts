import {
  ScheduleAlreadyRunning,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { jobNames, jobs, type JobName } from '../config/names.ts';

interface JobPolicy {
  /** How late a run that was missed may still be made up for. */
  catchupWindow: string;
  /** A run that hangs skips the ones after it; so it may not hang for long. */
  executionTimeout: string;
  note: string;
}

const policies: Record<JobName, JobPolicy> = {
  digest: {
    catchupWindow: '6h',
    executionTimeout: '2h',
    note: 'Announces every edge that was not announced yet, in Slack',
  },
  certificates: {
    catchupWindow: '10m',
    executionTimeout: '30m',
    note: 'Looks at the client certificate, the CA bundle and a handshake with Goldmane',
  },
  completeness: {
    catchupWindow: '6h',
    executionTimeout: '2h',
    note: 'Judges per namespace whether an allowlist from what was observed would be complete',
  },
  freshness: {
    catchupWindow: '1m',
    executionTimeout: '4m',
    note: 'Warns when nothing is merged any more, and pages before Goldmane forgets',
  },
  housekeeping: {
    catchupWindow: '6h',
    executionTimeout: '1h',
    note: 'Forgets what the retention settings allow to be forgotten; never an edge',
  },
};

/** What of a schedule is ours: kept in the memo of each run, so that a change of settings is seen, and a pause is not ours. */
function fingerprint(job: JobName, { jobs: { crons, timeZone }, taskQueue }: Config): string {
  const { catchupWindow, executionTimeout } = policies[job];
  return `${crons[job]} ${timeZone}; queue ${taskQueue}, catch-up ${catchupWindow}, at most ${executionTimeout}`;
}

type JobAction = ScheduleOptionsStartWorkflowAction<Workflow>;

function scheduleOptions(job: JobName, config: Config): ScheduleOptions<JobAction> {
  const { scheduleId, workflowType } = jobs[job];
  const { catchupWindow, executionTimeout, note } = policies[job];
  return {
    scheduleId,
    spec: { cronExpressions: [config.jobs.crons[job]], timezone: config.jobs.timeZone },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: scheduleId,
      taskQueue: config.taskQueue,
      args: [],
      workflowExecutionTimeout: executionTimeout,
      memo: { schedule: fingerprint(job, config) },
    },
    policies: { overlap: 'SKIP', catchupWindow, pauseOnFailure: false },
    state: { note },
  };
}

/**
 * Creates the schedules of the jobs, or brings them up to date where settings changed; an operator's pause and note
 * stay. Two workers that start together end in the same schedules.
 */
export async function ensureSchedules(client: Client, config: Config, log: Logger): Promise<void> {
  for (const job of jobNames) await ensureSchedule(client, job, config, log);
}

async function ensureSchedule(client: Client, job: JobName, config: Config, log: Logger): Promise<void> {
  const options = scheduleOptions(job, config);
  const wanted = fingerprint(job, config);
  const { scheduleId } = options;
  try {
    await client.schedule.create(options);
    log.info({ scheduleId, schedule: wanted }, 'a schedule was created');
    return;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(scheduleId);
  if (isUpToDate(await handle.describe(), options, wanted)) return;
  await handle.update(({ state }: ScheduleDescription) => ({ ...options, state }));
  log.info({ scheduleId, schedule: wanted }, 'a schedule was brought up to date');
}

function isUpToDate(
  { action }: ScheduleDescription,
  options: ScheduleOptions<JobAction>,
  wanted: string,
): boolean {
  return action.workflowType === options.action.workflowType && action.memo?.['schedule'] === wanted;
}
