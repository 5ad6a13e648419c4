import type { Client, WorkflowExecutionDescription, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Config } from '../config/config.ts';
import { describeWorkflow } from '../temporal/describe-workflow.ts';
import { isOpen } from '../temporal/open-run.ts';
import { taskProblemOf, type TaskProblem } from '../temporal/task-problem.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { expectOwnTrail } from './trail-owner.ts';
import { trailIdField } from '../config/temporal-names.ts';

/**
 * A younger run (by the trail's clock) is not replaced: while workers of two versions run side by side, they would
 * replace each other's run repeatedly.
 */
const replaceAfterMs = 2 * 60_000;
const problemsBeforeReplacing = 2;

type KeeperCheck =
  | { state: 'running'; description: WorkflowExecutionDescription }
  | { state: 'started'; former: string }
  | { state: 'failing'; problem: TaskProblem }
  | { state: 'replaced'; problem: TaskProblem };

/** How the workflow is started; the id of the trail is added to its memo. */
export interface KeptWorkflow {
  type: string;
  workflowId: string;
  /** @param former the description of the closed or stuck run, if there was one */
  options(
    former: WorkflowExecutionDescription | undefined,
  ): Pick<WorkflowStartOptions, 'args' | 'memo' | 'staticSummary' | 'staticDetails'>;
}

/** Keeps one workflow running. */
export class WorkflowKeeper {
  readonly #config: Config;
  readonly #trailId: string;
  readonly #attempts: RunningAttempts;
  readonly #kept: KeptWorkflow;
  #problemRunId = '';
  #problems = 0;

  constructor(config: Config, trailId: string, attempts: RunningAttempts, kept: KeptWorkflow) {
    this.#config = config;
    this.#trailId = trailId;
    this.#attempts = attempts;
    this.#kept = kept;
  }

  /**
   * Starts the workflow unless it runs, and replaces one whose workflow tasks failed at two checks in a row: nothing is
   * lost, because its state is in Postgres. Safe to call from several workers at once.
   * @throws TemporalFailure `wrong_trail` when it belongs to another database; whatever the client throws
   */
  async check(client: Client): Promise<KeeperCheck> {
    const { workflowId } = this.#kept;
    const description = await describeWorkflow(client, workflowId);
    if (description === undefined || !isOpen(description)) {
      await this.#start(client, description);
      return { state: 'started', former: description?.status.name ?? 'none' };
    }
    expectOwnTrail(workflowId, description.memo, this.#trailId);
    const problem = await taskProblemOf(client, description);
    if (!problem) {
      this.#problems = 0;
      return { state: 'running', description };
    }
    this.#problems = description.runId === this.#problemRunId ? this.#problems + 1 : 1;
    this.#problemRunId = description.runId;
    const ageMs = Date.now() - description.startTime.getTime();
    if (
      !problem.isPermanent ||
      this.#problems < problemsBeforeReplacing ||
      ageMs < this.#config.clock.realMs(replaceAfterMs)
    )
      return { state: 'failing', problem };
    await terminate(client, description, `Replaced by ${this.#config.workerIdentity}: ${problem.cause}`);
    await this.#start(client, description);
    return { state: 'replaced', problem };
  }

  /** Terminates the workflow if it runs, and ends its attempts in this process. @returns whether it ran */
  async stop(client: Client, reason: string): Promise<boolean> {
    const { workflowId } = this.#kept;
    const description = await describeWorkflow(client, workflowId);
    if (description === undefined || !isOpen(description)) return false;
    expectOwnTrail(workflowId, description.memo, this.#trailId);
    await terminate(client, description, reason);
    await this.#attempts.end(workflowId);
    return true;
  }

  async #start(client: Client, former: WorkflowExecutionDescription | undefined): Promise<void> {
    const { type, workflowId } = this.#kept;
    // Two attempts at once would double the load on Goldmane.
    await this.#attempts.end(workflowId);
    const options = this.#kept.options(former);
    await client.workflow.start(type, {
      ...options,
      workflowId,
      taskQueue: this.#config.names.taskQueue,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      memo: { ...options.memo, [trailIdField]: this.#trailId },
    });
    // Another database's worker may have been faster: USE_EXISTING then returns its run.
    expectOwnTrail(workflowId, (await describeWorkflow(client, workflowId))?.memo, this.#trailId);
  }
}

async function terminate(
  client: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
  reason: string,
): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId, runId).terminate(reason);
  } catch (error) {
    // Another worker was faster.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
