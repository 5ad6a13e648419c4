import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Config } from '../config/config.ts';
import { supervisorWorkflowType } from '../config/names.ts';
import { trailIdField } from '../workflows/messages.ts';
import { describeWorkflow } from '../temporal/describe-workflow.ts';
import { isOpen } from '../temporal/open-run.ts';
import { taskProblemOf, type TaskProblem } from '../temporal/task-problem.ts';
import { readPause } from '../workflows/received.ts';
import { emptyStatus, withPause, type Pause, type SupervisorInput } from '../workflows/status.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { expectOwnTrail } from './trail-owner.ts';

/**
 * A younger run (by the trail's clock) is not replaced: otherwise, workers of two versions running at the same time
 * would replace each other's supervisor.
 */
const replaceAfterMs = 2 * 60_000;
const problemsBeforeReplacing = 2;

type SupervisorCheck =
  | { state: 'running'; description: WorkflowExecutionDescription }
  | { state: 'started'; former: string }
  | { state: 'failing'; problem: TaskProblem }
  | { state: 'replaced'; problem: TaskProblem };

/** Keeps one supervisor running. */
export class SupervisorKeeper {
  readonly #config: Config;
  readonly #trailId: string;
  readonly #attempts: RunningAttempts;
  #problemRunId = '';
  #problems = 0;

  constructor(config: Config, trailId: string, attempts: RunningAttempts) {
    this.#config = config;
    this.#trailId = trailId;
    this.#attempts = attempts;
  }

  /**
   * Starts the supervisor unless it is running, and replaces it if its workflow tasks failed at two checks in a row.
   * Nothing is lost, because its state is in Postgres. A pause survives both. Safe to call from several workers at
   * once.
   * @throws TemporalFailure `wrong_trail` when it belongs to another database; whatever the client throws
   */
  async check(client: Client): Promise<SupervisorCheck> {
    const { supervisorId } = this.#config.names;
    const description = await describeWorkflow(client, supervisorId);
    if (description === undefined || !isOpen(description)) {
      await this.#start(client, pauseOf(description));
      return { state: 'started', former: description?.status.name ?? 'none' };
    }
    expectOwnTrail(supervisorId, description.memo, this.#trailId);
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
    await client.workflow
      .getHandle(supervisorId, description.runId)
      .terminate(`Replaced by ${this.#config.workerIdentity}: ${problem.cause}`)
      .catch((error: unknown) => {
        // Another worker was faster.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    await this.#start(client, pauseOf(description));
    return { state: 'replaced', problem };
  }

  async #start(client: Client, paused: Pause | undefined): Promise<void> {
    const { clockSpeed, taskQueue, names } = this.#config;
    // Two streams at once would put the load of two installations on Goldmane.
    await this.#attempts.end(names.supervisorId);
    const input: SupervisorInput = {
      // On a fast clock, Temporal's own timeouts, which stay in real time, must be shorter.
      ...(clockSpeed === 1 ? {} : { speed: clockSpeed, heartbeatTimeoutMs: 5_000, maxBackoffMs: 2_000 }),
      ...(paused ? { status: withPause(emptyStatus(new Date().toISOString()), paused) } : {}),
    };
    await client.workflow.start(supervisorWorkflowType, {
      workflowId: names.supervisorId,
      taskQueue,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [input],
      memo: {
        state: paused ? 'paused' : 'starting',
        [trailIdField]: this.#trailId,
        ...(paused ? { paused } : {}),
      },
      staticSummary: 'Supervises the flow trail',
      staticDetails:
        'Runs the two readers, `streamFlows` and `settleBuckets`, in windows of 15 minutes.\n\n' +
        'Signals: `pause` stops the readers, `resume` starts them again, `freshWindow` starts new windows now.\n\n' +
        'A worker starts this workflow again if it is cancelled or terminated.',
    });
    // If a worker of another database was faster, USE_EXISTING returns its run.
    expectOwnTrail(
      names.supervisorId,
      (await describeWorkflow(client, names.supervisorId))?.memo,
      this.#trailId,
    );
  }
}

function pauseOf(description: WorkflowExecutionDescription | undefined): Pause | undefined {
  return readPause(description?.memo?.['paused']);
}
