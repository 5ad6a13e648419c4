import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import { mayPass, replacedTrail } from '../temporal/failure.ts';
import type { Failure } from '../failure/failure.ts';
import type { Query } from '../trail/database/database.ts';
import type { WorkerMetrics } from './metrics.ts';
import { isDatabaseFailure } from '../trail/database/database-failure.ts';
import { readTrailId } from '../trail/database/trail-id.ts';
import { inTime } from '../temporal/time-limit.ts';
import { CredentialRefresh } from './temporal-credential-refresh.ts';
import type { DatabaseTrouble } from './database-trouble.ts';
import { LoggedFailures } from './logged-failures.ts';
import { PollWatch } from './polling.ts';
import type { Condition, Readiness } from './readiness.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { ensureSchedules } from './schedules.ts';
import { SupervisorControl } from './supervisor-control.ts';
import { ExportControl } from './export-control.ts';
import { readTrailClaim } from './trail-owner.ts';
import type { WorkerProcess } from './worker-process.ts';

const roundMs = 30_000;
/** On a fast clock (tests) a round still takes real time. */
const minimumRoundMs = 500;
const databaseAwayMs = 10 * 60_000;
export const callTimeoutMs = 10_000;

export interface ControlDeps {
  config: Config;
  trailId: string;
  thisProcess: Pick<WorkerProcess, 'renewClaim'>;
  temporal: Temporal;
  workers: readonly Worker[];
  attempts: RunningAttempts;
  /** The export's control; only in a worker that exports flow logs. */
  exportAttempts: RunningAttempts;
  query: Query;
  log: Logger;
  metrics: WorkerMetrics;
  readiness: Readiness;
  databaseTrouble: DatabaseTrouble;
}

/**
 * Twice a minute, until the signal aborts: reads Temporal's certificates and API key again, creates a missing
 * supervisor or schedule, replaces a stuck supervisor, and checks the conditions of readiness. A failed check does not
 * end the round.
 * @throws TemporalFailure `wrong_trail` when supervisor or schedules turn out to belong to another database, or the
 * database was replaced by another one; DatabaseFailure `other_supervisor` when a worker of another supervisor has started
 */
export async function runControlLoop(deps: ControlDeps, signal: AbortSignal): Promise<void> {
  const loop = new ControlLoop(deps);
  const { clock } = deps.config;
  while (!signal.aborted) {
    await loop.round();
    if (loop.isComplete) deps.readiness.set('starting', undefined);
    const waitMs = loop.isComplete ? roundMs : 2_000;
    await clock.sleep(Math.max(waitMs, minimumRoundMs / clock.realMs(1)), signal).catch(() => undefined);
  }
}

interface StepResult {
  isMet: boolean;
  /** Why Temporal cannot be queried, for example because it is down; undefined when it can. */
  noAnswer: Failure | undefined;
}

class ControlLoop {
  readonly #deps: ControlDeps;
  readonly #supervisor: SupervisorControl;
  readonly #export: ExportControl;
  readonly #polls: PollWatch;
  readonly #failures: LoggedFailures;
  readonly #credentials: CredentialRefresh;
  #databaseSinceMs: number;
  /** The supervisor and all schedules existed at the end of the last round. */
  isComplete = false;
  #isFirst = true;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#failures = new LoggedFailures(deps.log);
    this.#credentials = new CredentialRefresh(deps, this.#failures);
    this.#supervisor = new SupervisorControl(deps);
    this.#export = new ExportControl({ ...deps, attempts: deps.exportAttempts });
    this.#polls = new PollWatch(deps.config.names.taskQueue, deps.config.workerIdentity);
    this.#databaseSinceMs = deps.config.clock.elapsed();
  }

  async round(): Promise<void> {
    await this.#credentials.refresh();
    const supervisor = await this.#step('supervisor', () =>
      this.#supervisor.round(this.#deps.temporal.client),
    );
    // Each call takes ten seconds while Temporal is down; skipping the rest starts the next round, with credentials
    // read again, sooner.
    if (supervisor.noAnswer) {
      this.#reportNoResponse(supervisor.noAnswer);
      this.isComplete = false;
    } else {
      const schedules = await this.#step('schedules', () => this.#ensureSchedules());
      await this.#checkPolls();
      this.isComplete = supervisor.isMet && schedules.isMet;
      await this.#ensureExport();
      await this.#renewClaim();
    }
    await this.#checkDatabase();
    this.#isFirst &&= !this.isComplete;
  }

  /** The export does not decide whether the worker is ready. */
  async #ensureExport(): Promise<void> {
    try {
      await this.#inTime(() => this.#export.round(this.#deps.temporal.client));
      this.#failures.passed('export');
    } catch (error) {
      this.#failures.failed('export', (await this.#explain(error)).message);
    }
  }

  /** A lost claim ends the worker; #checkDatabase and #checkPolls report other failures. */
  async #renewClaim(): Promise<void> {
    const { temporal, config, thisProcess } = this.#deps;
    await this.#inTime(async () =>
      thisProcess.renewClaim(await readTrailClaim(temporal.client, config.names)),
    ).catch((error: unknown) => {
      if (isDatabaseFailure(error) && error.kind === 'other_supervisor') throw error;
    });
  }

  async #ensureSchedules(): Promise<string | undefined> {
    const { temporal, config, trailId, log, metrics } = this.#deps;
    const { created, failed, foreign } = await ensureSchedules(temporal.client, config, trailId, log, {
      isStart: this.#isFirst,
    });
    metrics.missingSchedules(failed.length);
    if (foreign.length === 0) this.#failures.passed('settings');
    else
      this.#failures.failed(
        'settings',
        foreign
          .map(
            ({ scheduleId, settings, ownSettings }) =>
              `Another worker has set the schedule ${scheduleId} to “${settings}”; this worker has “${ownSettings}”. Give all workers the same settings.`,
          )
          .join(' '),
      );
    if (!this.#isFirst)
      for (const scheduleId of created) {
        log.warn({ scheduleId }, 'A schedule was missing and was recreated');
        metrics.recreated('schedule');
      }
    return failed.length === 0
      ? undefined
      : failed.map(({ scheduleId, reason }) => `no schedule ${scheduleId}: ${reason}`).join('\n');
  }

  async #checkPolls(): Promise<void> {
    const { temporal, readiness } = this.#deps;
    try {
      readiness.set('polling', await this.#inTime(() => this.#polls.check(temporal.client)));
    } catch (error) {
      this.#reportNoResponse(await this.#explain(error));
    }
  }

  /** Restarts of Temporal or the network are short, so the first minute of an outage does not count. */
  #reportNoResponse(failure: Failure): void {
    this.#deps.readiness.set(
      'polling',
      mayPass(failure) ? this.#polls.noAnswer(failure.message) : failure.message,
    );
  }

  async #checkDatabase(): Promise<void> {
    const { query, config, readiness, databaseTrouble, trailId } = this.#deps;
    const nowMs = config.clock.elapsed();
    let present: string | undefined;
    try {
      present = await readTrailId(query);
      if (databaseTrouble.recent) throw databaseTrouble.recent;
      this.#databaseSinceMs = nowMs;
      readiness.set('database', undefined);
    } catch (error) {
      const awayMs = nowMs - this.#databaseSinceMs;
      if (awayMs >= databaseAwayMs)
        readiness.set(
          'database',
          `the database could not be used for ${Math.round(awayMs / 60_000)} minutes: ${(await this.#explain(error)).message}`,
        );
    }
    // Otherwise, this worker would merge into it for the supervisor of the former one, until its next restart.
    if (present !== undefined && present !== trailId) throw replacedTrail(trailId, present);
  }

  async #step(condition: Condition, work: () => Promise<string | undefined>): Promise<StepResult> {
    const { readiness } = this.#deps;
    let reason: string | undefined;
    let noAnswer: Failure | undefined;
    try {
      reason = await this.#inTime(work);
      readiness.set(condition, reason);
    } catch (error) {
      const failure = await this.#explain(error);
      // Another installation started first. After a restart, this worker waits without taking that installation's tasks.
      if (failure.kind === 'wrong_trail') throw failure;
      reason = failure.message;
      // Temporal did not respond, so the owner is unknown: #checkPolls decides after a minute.
      if (!mayPass(failure)) readiness.set(condition, reason);
      if (failure.kind !== 'unexpected') noAnswer = failure;
    }
    if (reason === undefined) this.#failures.passed(condition);
    else this.#failures.failed(condition, reason);
    return { isMet: reason === undefined, noAnswer };
  }

  #inTime<Result>(work: () => Promise<Result>): Promise<Result> {
    return inTime(this.#deps.temporal.client, callTimeoutMs, work);
  }

  #explain(error: unknown): Promise<Failure> {
    return this.#deps.temporal.explain(error);
  }
}
