import type { WorkflowExecutionDescription } from '@temporalio/client';

/** Whether the run has not closed, and so keeps its id: it runs, or was paused with Temporal's own command. */
export function isOpen({ status }: Pick<WorkflowExecutionDescription, 'status'>): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}
