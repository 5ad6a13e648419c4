import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { isTemporalFailure } from './failure.ts';

/** WORKFLOW_EXECUTION_STATUS_RUNNING of Temporal's API. */
const running = 1;

/**
 * Describes the newest run of a workflow.
 * @returns undefined when there is none, or when it has ended and its memo cannot be decrypted: a lost key must not
 * prevent its successor from starting
 * @throws TemporalFailure `codec_key_unknown`, `codec_key_wrong` while it runs; whatever the client throws
 */
export async function describeWorkflow(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (isUndecryptable(error) && !(await isRunning(client, workflowId))) return undefined;
    throw error;
  }
}

function isUndecryptable(error: unknown): boolean {
  return isTemporalFailure(error) && (error.kind === 'codec_key_unknown' || error.kind === 'codec_key_wrong');
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution({
    namespace: client.options.namespace,
    execution: { workflowId },
  });
  return Number(workflowExecutionInfo?.status) === running;
}
