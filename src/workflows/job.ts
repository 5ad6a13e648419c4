import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

const scheduledStartTime = defineSearchAttributeKey(
  'TemporalScheduledStartTime',
  SearchAttributeType.DATETIME,
);

/**
 * The schedule's nominal time, or the start time of a run without a schedule. A catch-up or retry has the same nominal time as
 * the run it repeats, so it gets the same id.
 */
function nominalTime(): Date {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return typedSearchAttributes.get(scheduledStartTime) ?? startTime;
}

/** The id of what this run produces: `digest/2026-11-23T08:00:00Z`. */
export function nominalId(what: string): string {
  return `${what}/${nominalTime().toISOString().replace('.000Z', 'Z')}`;
}
