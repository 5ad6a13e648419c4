import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { exportTaskQueue } from '../config/temporal-names.ts';
import type { Query } from '../trail/database/database.ts';
import { noteExportOff } from '../trail/export/export-state.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { exportSupervisor } from './kept-workflows.ts';
import { WorkflowKeeper } from './workflow-keeper.ts';

/** TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const activityTasks = 2;

interface ExportControlDeps {
  config: Config;
  trailId: string;
  /** Configuration of the export; undefined without a receiver. */
  attempts: RunningAttempts;
  query: Query;
  log: Logger;
}

/** Keeps the export's supervisor running if this worker has a receiver of flow logs. Otherwise, ends it once no
 * worker polls for its activity: during a rollout, workers with both settings run side by side.
 */
export class ExportControl {
  readonly #deps: ExportControlDeps;
  readonly #keeper: WorkflowKeeper;
  #isFirst = true;

  constructor(deps: ExportControlDeps) {
    this.#deps = deps;
    const { config, trailId, attempts } = deps;
    this.#keeper = new WorkflowKeeper(config, trailId, attempts, exportSupervisor(config));
  }

  /** @throws TemporalFailure `wrong_trail`; DatabaseFailure; whatever the client throws */
  async round(client: Client): Promise<void> {
    if (this.#deps.config.export === undefined) await this.#ensureOff(client);
    else await this.#ensureOn(client);
    this.#isFirst = false;
  }

  async #ensureOn(client: Client): Promise<void> {
    const { attempts, log } = this.#deps;
    const check = await this.#keeper.check(client);
    if (check.state === 'started' && (!this.#isFirst || check.former !== 'none'))
      log.warn({ former: check.former }, 'The supervisor of the export was missing and was restarted');
    if (check.state === 'replaced')
      log.warn(
        { ...check.problem },
        'The supervisor of the export was replaced because its workflow tasks failed',
      );
    if (check.state === 'running') {
      const lost = await attempts.check(client, check.description);
      if (lost.length > 0)
        log.warn(
          { activities: lost },
          'Failed the export attempt left over from a previous process of this worker',
        );
    }
  }

  async #ensureOff(client: Client): Promise<void> {
    const { config, query, log } = this.#deps;
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: exportTaskQueue(config.names.taskQueue) },
      taskQueueType: activityTasks,
    });
    if (pollers && pollers.length > 0) return;
    const wasOn = await noteExportOff(query, config.clock.now() / 1_000);
    const hasStopped = await this.#keeper.stop(client, 'No worker has OTLP_LOGS_ENDPOINT');
    if (wasOn || hasStopped) log.info('The export is disabled: no worker has OTLP_LOGS_ENDPOINT');
  }
}
