import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { pausedReading } from '../temporal/paused-reading.ts';
import { recordTroubleUnlessNoted } from '../trail/coverage-ranges/trouble.ts';
import type { Query } from '../trail/database/database.ts';
import { trailSupervisor } from './kept-workflows.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { WorkflowKeeper } from './workflow-keeper.ts';

interface SupervisorControlDeps {
  config: Config;
  trailId: string;
  attempts: RunningAttempts;
  query: Query;
  log: Logger;
  metrics: Pick<WorkerMetrics, 'recreated' | 'supervisorRunning'>;
}

/** Keeps the trail's supervisor running: starts it if it is missing, and replaces it if its workflow tasks fail. */
export class SupervisorControl {
  readonly #deps: SupervisorControlDeps;
  readonly #keeper: WorkflowKeeper;
  /** Until then, a supervisor that is missing is not worth a warning: it may be the first start. */
  #hasRun = false;

  constructor(deps: SupervisorControlDeps) {
    this.#deps = deps;
    const { config, trailId, attempts } = deps;
    this.#keeper = new WorkflowKeeper(config, trailId, attempts, trailSupervisor(config));
  }

  /**
   * @returns why the supervisor does not run; undefined if it does
   * @throws TemporalFailure `wrong_trail`; whatever the client throws
   */
  async round(client: Client): Promise<string | undefined> {
    const { attempts, log, metrics } = this.#deps;
    const check = await this.#keeper.check(client);
    metrics.supervisorRunning(check.state !== 'failing');
    if (check.state === 'started' && (this.#hasRun || check.former !== 'none')) {
      log.warn({ former: check.former }, 'The supervisor was missing and was restarted');
      metrics.recreated('supervisor');
    }
    if (check.state === 'replaced') {
      log.warn({ ...check.problem }, 'The supervisor was replaced because its workflow tasks failed');
      metrics.recreated('supervisor');
    }
    if (check.state === 'running') {
      await this.#notePause(check.description);
      const lost = await attempts.check(client, check.description);
      if (lost.length > 0)
        log.warn(
          { activities: lost },
          'Failed the activity attempts left over from a previous process of this worker',
        );
    }
    if (check.state === 'failing')
      return `the supervisor is stuck: its workflow task fails with ${check.problem.cause}, attempt ${check.problem.attempt}`;
    this.#hasRun = true;
    return undefined;
  }

  /** A pause is the cause of the gap that follows it, and nothing else records it in the database. */
  async #notePause(supervisor: WorkflowExecutionDescription): Promise<void> {
    const paused = pausedReading(supervisor);
    if (!paused) return;
    const { query, config } = this.#deps;
    // Without the database there is no coverage to explain; the control loop reports it.
    await recordTroubleUnlessNoted(query, paused.message, config.clock.now() / 1000).catch(() => undefined);
  }
}
