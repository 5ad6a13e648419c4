/** Names in Temporal without CLUSTER_NAME; typed by people, so they are short. */
const defaultTaskQueue = 'flow-trail';
export const supervisorWorkflowType = 'superviseTrail';
export const supervisorWorkflowId = 'flow-trail/supervisor';
export const exportWorkflowType = 'superviseExport';
const exportWorkflowId = 'flow-trail/export';
/** Field of the memo of the supervisor and of scheduled runs, and header of their activities: `trail_state.trail_id`. */
export const trailIdField = 'trailId';

/** The scheduled jobs by their name on the command line: schedule id and workflow type. */
export const jobs = {
  digest: { scheduleId: 'flow-trail/daily-digest', workflowType: 'dailyDigest' },
  certificates: { scheduleId: 'flow-trail/cert-freshness', workflowType: 'certFreshness' },
  completeness: { scheduleId: 'flow-trail/allowlist-completeness', workflowType: 'allowlistCompleteness' },
  freshness: { scheduleId: 'flow-trail/freshness-watchdog', workflowType: 'freshnessWatchdog' },
  housekeeping: { scheduleId: 'flow-trail/housekeeping', workflowType: 'housekeeping' },
} as const;
export type JobName = keyof typeof jobs;
export const jobNames: readonly JobName[] = [
  'digest',
  'certificates',
  'completeness',
  'freshness',
  'housekeeping',
];

/** Names in Temporal of one cluster's trail. Several trails share a Temporal namespace when each has its own. */
export interface TrailNames {
  supervisorId: string;
  exportId: string;
  taskQueue: string;
  /** By job; also the workflow id of the runs that the schedule starts. */
  scheduleIds: Record<JobName, string>;
}

/** A value of CLUSTER_NAME: at most 40 lower-case letters, digits and hyphens. */
export function isClusterName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(text);
}

/** @param clusterName CLUSTER_NAME; if empty, the names of a single trail */
export function trailNames(clusterName: string): TrailNames {
  const own = (id: string) =>
    clusterName === '' ? id : id.replace('flow-trail/', `flow-trail/${clusterName}/`);
  return {
    supervisorId: own(supervisorWorkflowId),
    exportId: own(exportWorkflowId),
    taskQueue: clusterName === '' ? defaultTaskQueue : `${defaultTaskQueue}-${clusterName}`,
    scheduleIds: {
      digest: own(jobs.digest.scheduleId),
      certificates: own(jobs.certificates.scheduleId),
      completeness: own(jobs.completeness.scheduleId),
      freshness: own(jobs.freshness.scheduleId),
      housekeeping: own(jobs.housekeeping.scheduleId),
    },
  };
}

/** A separate queue for deriving allowlists, so that derivations never take a slot from the readers. */
export function allowlistTaskQueue(taskQueue: string): string {
  return `${taskQueue}/allowlist`;
}

/** The queue of workers that have a receiver of flow logs. */
export function exportTaskQueue(taskQueue: string): string {
  return `${taskQueue}/export`;
}
