import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

type BilledActions = Record<
  'workflows' | 'activities' | 'retries' | 'timers' | 'signals' | 'markers' | 'searchAttributes',
  number
>;

/**
 * Counts the events that Temporal Cloud bills as actions (https://docs.temporal.io/cloud/actions). Heartbeats and queries
 * are also billed, but leave no event. A scheduled run counts as three actions: two for the schedule, one for the run.
 */
export function billedActions(events: readonly HistoryEvent[]): BilledActions {
  const actions: BilledActions = {
    workflows: 0,
    activities: 0,
    retries: 0,
    timers: 0,
    signals: 0,
    markers: 0,
    searchAttributes: 0,
  };
  for (const event of events) {
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      const isScheduled = 'TemporalScheduledById' in (started.searchAttributes?.indexedFields ?? {});
      actions.workflows += isScheduled ? 3 : 1;
    }
    if (event.activityTaskScheduledEventAttributes) actions.activities += 1;
    actions.retries += (event.activityTaskStartedEventAttributes?.attempt ?? 1) - 1;
    if (event.timerStartedEventAttributes) actions.timers += 1;
    if (event.workflowExecutionSignaledEventAttributes) actions.signals += 1;
    if (event.markerRecordedEventAttributes) actions.markers += 1;
    const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    if (upserted && Object.keys(upserted).join() !== 'TemporalChangeVersion') actions.searchAttributes += 1;
  }
  return actions;
}
