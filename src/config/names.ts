/** Names under which the trail's parts are found in Temporal; people type them. */
export const defaultTaskQueue = 'flow-trail';
export const supervisorWorkflowType = 'superviseTrail';
export const supervisorWorkflowId = 'flow-trail/supervisor';

/** The scheduled jobs: schedule id, workflow type, and the word that the command line knows each by. */
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
