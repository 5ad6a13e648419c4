import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Deps } from '../ingest/deps.ts';
import { crashLoopOf } from '../reports/crash-loop.ts';
import { zonedTime } from '../time/zoned-time.ts';
import type { Database } from '../trail/database/database.ts';
import {
  claimedDatabase,
  claimTrail,
  expectNoOtherCluster,
  renewClaim,
  SilenceWatch,
  type TrailClaim,
} from '../trail/database/trail-claim.ts';
import {
  beginWorkerProcess,
  endWorkerProcess,
  readCrashes,
  renewWorkerProcess,
} from '../trail/workers/worker-processes.ts';
import type { Readiness } from './readiness.ts';

/** Long enough for a pending run of the job `freshness`, its Slack message, and a scrape of the metrics. */
const readersWaitMs = 60_000;
const failureLength = 500;
const renewEveryMs = 10_000;

interface ProcessDeps {
  config: Pick<Config, 'clock' | 'jobs' | 'names' | 'workerIdentity'>;
  database: Database;
  log: Logger;
  readiness: Readiness;
}

/** The record of this process in the database. */
export class WorkerProcess {
  readonly id = randomUUID();
  readonly #deps: ProcessDeps;
  readonly #others = new SilenceWatch();
  #renewal: NodeJS.Timeout | undefined;

  constructor(deps: ProcessDeps) {
    this.#deps = deps;
  }

  /** @throws DatabaseFailure `other_supervisor` when running workers use the database for another cluster */
  expectNoOtherCluster(): Promise<void> {
    const { config, database } = this.#deps;
    return expectNoOtherCluster(database.query, config.names.supervisorId, this.#others);
  }

  /**
   * Records the start. If workers have repeatedly ended unexpectedly, most likely because of the readers, the readers of this
   * process start a minute later, so that the jobs can finish and the metrics can be scraped in between.
   * @returns when the readers may start; undefined if at once
   * @throws DatabaseFailure
   */
  async begin(signal: AbortSignal): Promise<Deps['readersStart']> {
    const { config, database, log, readiness } = this.#deps;
    const { query } = database;
    if (!this.#renewal) {
      await beginWorkerProcess(query, config.workerIdentity, this.id);
      // Also while it waits for Temporal: a waiting process has not crashed. A lost database shows elsewhere.
      this.#renewal = setInterval(
        () => void renewWorkerProcess(query, this.id).catch(() => undefined),
        renewEveryMs,
      );
    }
    const loop = crashLoopOf(await readCrashes(query), zonedTime(config.jobs.timeZone).dated);
    if (!loop) return undefined;
    const reason = `The readers start ${readersWaitMs / 1000} s after the worker. ${loop.what} ${loop.cause}`;
    log.warn({ reason }, 'Workers ended unexpectedly several times; the readers start later');
    readiness.set('readers', reason);
    void config.clock.sleep(readersWaitMs, signal).then(
      () => readiness.set('readers', undefined),
      () => undefined,
    );
    return { atMs: config.clock.elapsed() + readersWaitMs, reason };
  }

  /**
   * @returns the database for the activities; it rejects transactions once the claim is lost
   * @throws DatabaseFailure `other_supervisor` when running workers use the database for another supervisor
   */
  async claim(claim: TrailClaim): Promise<Database> {
    const { database } = this.#deps;
    await claimTrail(database, this.id, claim, this.#others);
    return claimedDatabase(database, this.id, claim);
  }

  /**
   * Call this repeatedly: the namespace has another id after Temporal lost its data.
   * @throws DatabaseFailure `other_supervisor` when the claim is lost
   */
  renewClaim(claim: TrailClaim): Promise<void> {
    const { config, database } = this.#deps;
    return renewClaim(database.query, { process: this.id, worker: config.workerIdentity }, claim);
  }

  /** @param error the error that ends the process; undefined for an orderly shutdown */
  async end(error: unknown): Promise<void> {
    if (!this.#renewal) return;
    clearInterval(this.#renewal);
    const failure = error instanceof Error ? error.message : 'an unknown error';
    await endWorkerProcess(
      this.#deps.database.query,
      this.id,
      error === undefined ? undefined : failure.slice(0, failureLength),
    );
  }
}
