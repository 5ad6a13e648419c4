import type { Logger } from 'pino';
import type { Client } from '@temporalio/client';
import { dayMs } from '../time/units.ts';
import { errorText } from '../failure/thrown.ts';
import type { Config } from '../config/config.ts';
import { isFailure } from '../failure/failure.ts';
import type { JobMetrics } from '../activities/metrics.ts';
import type { ReaderMetrics } from '../ingest/metrics.ts';
import { readHealth, readHealthFacts } from '../queries/health.ts';
import type { HealthFacts } from '../reports/health/facts.ts';
import { healthLines, assessHealth } from '../reports/health/assess-health.ts';
import type { HealthReport } from '../reports/health/report.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import { explainNoResponse } from '../temporal/explain-failure.ts';
import { temporalFailure } from '../temporal/failure.ts';
import { inTime } from '../temporal/time-limit.ts';
import { countFailedRuns } from '../temporal/runs.ts';
import { printableLines } from '../text/printable.ts';
import { zonedTime } from '../time/zoned-time.ts';
import type { Query } from '../trail/database/database.ts';
import { readStorageBytes } from '../trail/database/storage-size.ts';
import type { DatabaseTrouble } from './database-trouble.ts';
import type { HealthMetrics } from './health-metrics.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

const timeoutMs = 10_000;
/** Requests within this time share one report, so that they cannot load the database. */
const reusedMs = 5_000;
const exportMs = 60_000;
/** On a fast clock (tests) a round still takes real time. */
const minimumRoundMs = 500;

interface HealthWatchDeps {
  config: Config;
  query: Query;
  log: Logger;
  readiness: Readiness;
  metrics: HealthMetrics;
  worker: Pick<WorkerMetrics, 'ready'>;
  readers: Pick<ReaderMetrics, 'begin'>;
  jobs: Pick<JobMetrics, 'checkedElsewhere'>;
  /** Undefined until the worker has connected. */
  temporal: () => Temporal | undefined;
  databaseTrouble: DatabaseTrouble;
}

interface Made {
  facts: HealthFacts;
  report: HealthReport;
}

/** The report of `flow-trail health`, created in the worker. */
export function workerHealth(
  config: Config,
  temporal: Temporal,
  query: Query,
  databaseTrouble: DatabaseTrouble,
): Promise<HealthReport> {
  return readHealth({
    config,
    query,
    databaseTrouble: databaseTrouble.recent,
    formatTime: zonedTime(config.jobs.timeZone).exact,
    askTemporal: (ask) => askTemporal(temporal, ask),
  });
}

async function askTemporal<Answer>(
  { client, address, namespace }: Temporal,
  ask: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await inTime(client, timeoutMs, () => ask(client));
  } catch (error) {
    throw isFailure(error) ? error : explainNoResponse(address, namespace, error);
  }
}

/** The report of `flow-trail health` in the worker: as text for `/readyz?verbose`, and as metrics once a minute. */
export class HealthWatch {
  readonly #deps: HealthWatchDeps;
  readonly #formatTime: (time: Date) => string;
  #made: Promise<Made> | undefined;
  #madeAtMs = 0;
  #logged = '';

  constructor(deps: HealthWatchDeps) {
    this.#deps = deps;
    this.#formatTime = zonedTime(deps.config.jobs.timeZone).exact;
  }

  /** Never rejects. */
  async text(): Promise<string> {
    try {
      const { status, checks } = (await this.#make()).report;
      return printableLines([status, ...healthLines({ checks })].join('\n'));
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'The health report failed');
      return 'The health report failed; see the log for the cause.';
    }
  }

  /** Exports the report until the signal aborts; never rejects. Starts before the worker has connected to anything. */
  async exportMetrics(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps.config;
    while (!signal.aborted) {
      await this.#exportOnce().catch((error: unknown) => {
        if (signal.aborted) return;
        // Otherwise, the metrics would keep showing the last report, which may be good.
        this.#deps.metrics.report(undefined);
        this.#logOnce(error);
      });
      await clock.sleep(Math.max(exportMs, minimumRoundMs / clock.realMs(1)), signal).catch(() => undefined);
    }
  }

  async #exportOnce(): Promise<void> {
    const { config, query, metrics, worker, readiness, readers, jobs } = this.#deps;
    worker.ready(readiness.notReady() === undefined);
    const { facts, report } = await this.#make();
    metrics.report(report);
    if (!('what' in facts.trail)) {
      const { coverage, digests, certificates, crashes } = facts.trail;
      readers.begin(facts.trail);
      if (certificates) jobs.checkedElsewhere(certificates.checkedAt);
      metrics.coverage(coverage);
      metrics.digest(digests.doneAt);
      metrics.crashes(crashes);
      metrics.exported(facts.trail.export);
      metrics.storage(await readStorageBytes(query));
    }
    if ('what' in facts.control) return;
    metrics.failedRuns(
      await this.#askTemporal((client) =>
        countFailedRuns(client, config.names.taskQueue, Date.now() - dayMs),
      ),
    );
    this.#logged = '';
  }

  #make(): Promise<Made> {
    if (this.#made && performance.now() - this.#madeAtMs < reusedMs) return this.#made;
    this.#madeAtMs = performance.now();
    const { config, query, databaseTrouble } = this.#deps;
    this.#made = readHealthFacts({
      config,
      query,
      databaseTrouble: databaseTrouble.recent,
      formatTime: this.#formatTime,
      askTemporal: (ask) => this.#askTemporal(ask),
    }).then((facts) => ({ facts, report: assessHealth(facts) }));
    return this.#made;
  }

  #askTemporal<Answer>(ask: (client: Client) => Promise<Answer>): Promise<Answer> {
    const temporal = this.#deps.temporal();
    if (temporal) return askTemporal(temporal, ask);
    return Promise.reject(
      temporalFailure(
        'unavailable',
        'the worker has not connected to Temporal yet',
        "See /readyz and the worker's log",
      ),
    );
  }

  #logOnce(error: unknown): void {
    const text = errorText(error);
    if (text === this.#logged) return;
    this.#logged = text;
    this.#deps.log.warn({ err: error }, 'The health report was not exported as metrics; retrying');
  }
}
