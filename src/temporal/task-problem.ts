import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { failureMessage } from './failure-message.ts';

/** A failing workflow task, which keeps the run from making progress. */
export interface TaskProblem {
  /** Temporal's name, for example `NonDeterministicError`. */
  cause: string;
  /** First line of the failure, if Temporal still has it. */
  message: string;
  /** Attempts of the current task. */
  attempt: number;
  /** The workflow's own code or history causes the failure, so a retry fails as well. */
  isPermanent: boolean;
}

/** A worker that is being replaced may cause the first failures. */
const attemptsBeforeProblem = 3;
/** WorkflowTaskFailedCause of Temporal's API: the number in an event, the name in the search attribute. */
const permanentCauses = new Map([
  [14, 'WorkflowWorkerUnhandledFailure'],
  [24, 'NonDeterministicError'],
  [37, 'PayloadsTooLarge'],
]);
const reportedProblems = 'TemporalReportedProblems';

/** @returns undefined while the workflow tasks of the run succeed */
export async function taskProblemOf(
  client: Client,
  { raw, workflowId, runId }: WorkflowExecutionDescription,
): Promise<TaskProblem | undefined> {
  const reported = textsOf(raw.workflowExecutionInfo?.searchAttributes?.indexedFields?.[reportedProblems]);
  const attempt = raw.pendingWorkflowTask?.attempt ?? 1;
  if (reported.length === 0 && attempt < attemptsBeforeProblem) return undefined;
  const failed = await lastTaskFailure(client, workflowId, runId);
  const cause = failed?.cause ?? causeIn(reported) ?? 'unknown';
  return {
    cause,
    message: failed?.message ?? '',
    attempt,
    isPermanent: [...permanentCauses.values()].includes(cause),
  };
}

/** Only a task's first failure is an event; it is the last event of the history while the task is retried. */
async function lastTaskFailure(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<{ cause: string; message: string } | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 10,
  });
  for (const event of history?.events ?? []) {
    const { workflowTaskCompletedEventAttributes: completed, workflowTaskFailedEventAttributes: failed } =
      event;
    if (completed) return undefined;
    if (failed?.cause != null) {
      const { failure } = failed;
      // A lost key must not hide the cause.
      const message = await failureMessage(client, failure).catch(() => failure?.message);
      return {
        cause: permanentCauses.get(failed.cause) ?? `cause ${failed.cause}`,
        message: message?.split('\n')[0] ?? '',
      };
    }
  }
  return undefined;
}

function textsOf(payload: Payload | null | undefined): string[] {
  const value: unknown = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
  return Array.isArray(value) ? value.map(String) : [];
}

/** `cause=WorkflowTaskFailedCauseNonDeterministicError` */
function causeIn(reported: readonly string[]): string | undefined {
  return reported.find((each) => each.startsWith('cause='))?.replace(/^cause=(WorkflowTaskFailedCause)?/, '');
}
