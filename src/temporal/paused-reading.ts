import type { WorkflowExecutionDescription } from '@temporalio/client';
import { temporalFailure, type TemporalFailure } from './failure.ts';

/** Longer reasons are cut. */
const reasonLength = 200;

/**
 * Whether a person has paused the supervisor or its readers: with the signal `pause`, or with Temporal's own commands
 * for workflows and activities.
 * @returns a failure of kind `paused`, which says how to continue; undefined when nothing is paused
 */
export function pausedReading({
  status,
  memo,
  raw,
  workflowId,
}: Pick<WorkflowExecutionDescription, 'status' | 'memo' | 'raw' | 'workflowId'>):
  | TemporalFailure
  | undefined {
  if (status.name === 'PAUSED')
    return temporalFailure(
      'paused',
      'the supervisor is paused in Temporal',
      `resume it: temporal workflow unpause --workflow-id ${workflowId}`,
    );
  if (status.name !== 'RUNNING') return undefined;
  const pause = pauseIn(memo?.['paused']);
  if (pause !== undefined)
    return temporalFailure(
      'paused',
      `the readers were paused at ${pause}`,
      `resume them: temporal workflow signal --workflow-id ${workflowId} --name resume`,
    );
  const activities = (raw.pendingActivities ?? []).filter(({ paused }) => paused === true);
  if (activities.length === 0) return undefined;
  return temporalFailure(
    'paused',
    `paused in Temporal: ${activities.map(({ activityType }) => activityType?.name ?? 'an activity').join(', ')}`,
    `resume in the Temporal UI (pending activities), or with ${activities
      .map(
        ({ activityId }) =>
          `temporal activity unpause --workflow-id ${workflowId} --activity-id ${activityId}`,
      )
      .join(' and ')}`,
  );
}

/** @returns `2026-01-31T08:00:00.000Z (the reason)`, of the memo that the signal `pause` sets; undefined if there is none */
function pauseIn(memo: unknown): string | undefined {
  if (typeof memo !== 'object' || memo === null) return undefined;
  const { since, reason }: { since?: unknown; reason?: unknown } = memo;
  if (typeof since !== 'string') return undefined;
  return typeof reason === 'string' ? `${since} (${reason.slice(0, reasonLength)})` : since;
}
