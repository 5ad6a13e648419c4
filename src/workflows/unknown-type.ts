import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { jobs, trailIdField } from '../config/temporal-names.ts';

const startable = [...Object.values(jobs).map(({ workflowType }) => workflowType), 'deriveAllowlist'];

/**
 * Runs instead of a workflow type that does not exist, and fails. Otherwise, the SDK would repeat the workflow task of
 * such a run forever, and log each attempt.
 */
export async function refuseUnknownType(): Promise<never> {
  const { workflowType, memo } = workflowInfo();
  // Schedules and commands of flow-trail set it: a later version knows the type, and one of its workers takes the task.
  if (memo?.[trailIdField] !== undefined) throw new TypeError(`workflow type ${workflowType} is not known`);
  throw ApplicationFailure.nonRetryable(
    `Workflow type "${workflowType.slice(0, 100)}" does not exist. Start one of ${startable.join(', ')}, or use the task queue of the program that implements it.`,
    'unknown_workflow_type',
  );
}
