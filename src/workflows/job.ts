import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

const scheduledStartTime = defineSearchAttributeKey(
  'TemporalScheduledStartTime',
  SearchAttributeType.DATETIME,
);

/**
 * The time that this run stands for: the schedule's nominal time, else when the run was started. A catch-up, a manual
 * trigger or a retry of the same nominal time is the same run to whoever keys by it.
 */
function nominalTime(): Date {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return typedSearchAttributes.get(scheduledStartTime) ?? startTime;
}

/** Names what this run makes: `digest/2026-11-23T08:00:00Z`. */
export function nominalId(what: string): string {
  return `${what}/${nominalTime().toISOString().replace('.000Z', 'Z')}`;
}
