import type { WorkflowExecutionDescription } from '@temporalio/client';

/** Whether the run is open and so occupies its id: it is running, or paused with Temporal's own command. */
export function isOpen({ status }: Pick<WorkflowExecutionDescription, 'status'>): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}
