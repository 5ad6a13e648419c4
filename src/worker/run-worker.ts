import type { Server } from 'node:http';
import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { memoryLimits } from '../config/memory-limits.ts';
import type { ExportDeps } from '../export/deps.ts';
import { createExportMetrics } from '../export/metrics.ts';
import { createMetrics } from '../ingest/metrics.ts';
import type { Deps } from '../ingest/deps.ts';
import type { Config } from '../config/config.ts';
import { connectGoldmane } from '../goldmane/connection.ts';
import { clusterApiOf } from '../goldmane/cluster-api.ts';
import { ServerClock } from '../goldmane/server-clock.ts';
import { adoptCountedElsewhere } from '../ingest/adopt-counted-elsewhere.ts';
import { readTrailId } from '../trail/trail-id.ts';
import { openDatabase } from '../trail/database.ts';
import { migrate, type MigrationProgress } from '../trail/migrate.ts';
import { Temporal } from '../temporal/connection.ts';
import { temporalConfig } from '../temporal/settings.ts';
import { callTimeoutMs, runControlLoop, type ControlDeps } from './control-loop.ts';
import { createHeartbeat } from './heartbeat.ts';
import { closeServer } from '../web/bounded-server.ts';
import { createHealthMetrics } from './health-metrics.ts';
import { HealthWatch } from './health-watch.ts';
import { serveHealth, serveMetrics } from './http.ts';
import { startMap, type MapService } from './map.ts';
import { createControlMetrics } from './metrics.ts';
import { Readiness } from './readiness.ts';
import { keepPresence } from './presence.ts';
import { reportToSupervisor } from './report.ts';
import { RunningAttempts } from './running-attempts.ts';
import { installRuntime } from './runtime.ts';
import { pause, untilItWorks } from './waiting.ts';
import { WorkerProcess } from './worker-process.ts';
import { createWorkers } from './workers.ts';
import { startTracing } from './tracing.ts';
import { checkTrailOwner } from './trail-owner.ts';
import { workflowBundle } from './workflow-bundle.ts';

const phaseLimitMs = 5_000;

/**
 * Runs the worker until the signal aborts: settings, telemetry, database, Temporal, polling, supervisor and schedules.
 * It waits for dependencies that are not available yet and logs what is missing and what to do, so the start order does
 * not matter.
 */
export async function runWorker(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  const tracing = await startTracing(process.env, log);
  const { runtime, exporterPort } = await installRuntime(config, log);
  if (config.goldmane.insecure)
    log.warn(
      'GOLDMANE_TLS_INSECURE is set: the server certificate is not verified; any server can impersonate Goldmane',
    );
  if (config.jobs.slack.dryRun || !config.jobs.slack.webhook)
    log.warn(
      { reason: config.jobs.slack.dryRun ? 'DRY_RUN is set' : 'SLACK_WEBHOOK_URL is empty' },
      'digests and alerts are only printed to this log',
    );

  const readiness = new Readiness();
  readiness.set('starting', 'starting');
  const servers: Server[] = [];
  const ended = new AbortController();
  const metrics = createMetrics(runtime.metricMeter);
  const exportMetrics = createExportMetrics(runtime.metricMeter);
  log.info(memoryLimits, 'memory limits, derived from the heap');
  const database = openDatabase(config.database, {
    onStatement: (seconds) => metrics.databaseSeconds(seconds),
  });
  let temporal: Temporal | undefined;
  let presence: Promise<void> | undefined;
  let map: MapService | undefined;
  const thisProcess = new WorkerProcess({ config, query: database.query, log, readiness });
  let failure: unknown;
  try {
    const watch = new HealthWatch({
      config,
      query: database.query,
      log,
      readiness,
      metrics: createHealthMetrics(runtime.metricMeter),
      trail: metrics,
      temporal: () => temporal,
    });
    const controlMetrics = createControlMetrics(runtime.metricMeter);
    servers.push(await serveMetrics(exporterPort, config.listenHost, config.metricsPort));
    const probes = { notReady: () => readiness.notReady(), report: () => watch.text() };
    servers.push(await serveHealth(probes, config.listenHost, config.httpPort));
    void watch.exportMetrics(AbortSignal.any([signal, ended.signal]));
    const waiting = (reason: string) => readiness.set('starting', reason);
    const onProgress = (progress: MigrationProgress) => log.info(progress, 'migrating the schema');
    const applied = await untilItWorks(() => migrate(database, { onProgress, signal }), {
      log,
      signal,
      waiting,
    });
    if (applied.length > 0) log.info({ migrations: applied }, 'Migrated the schema');
    const readersStart = await untilItWorks(() => thisProcess.begin(signal), { log, signal, waiting });
    // Before anything is merged; otherwise, records that another program has counted would be counted again.
    await untilItWorks(() => adoptCountedElsewhere({ database, config, log }, 0), { log, signal, waiting });
    // Certificate and key files are read at each attempt.
    temporal = await untilItWorks(() => Temporal.connect(temporalConfig, tracing?.client), {
      log,
      signal,
      waiting,
    });
    const trailId = await untilItWorks(() => readTrailId(database.query), { log, signal, waiting });
    // Checked before the worker polls: with another installation's names, it would take that installation's tasks.
    await untilTrailIsOwn(temporal, config, trailId, { log, signal, waiting });
    const attempts = new RunningAttempts(config.workerIdentity);
    const deps: Deps = {
      config,
      database,
      log,
      metrics,
      serverClock: new ServerClock(config.clock),
      heartbeat: createHeartbeat(config.heartbeat, {
        clock: config.clock,
        log,
        signal,
        onResult: (result) => metrics.heartbeat(result),
      }),
      connectGoldmane: (abort) => connectGoldmane(config.goldmane, { clock: config.clock, signal: abort }),
      clusterApi: clusterApiOf(process.env),
      askedToEnd: (attempt) => attempts.askedToEnd(attempt),
      readersStart,
      report: reportToSupervisor(temporal, config.clock, log),
    };
    map = await startMap(config, temporal, log);
    const { address, namespace } = temporal;
    const connected = temporal;
    // Ends after this worker's attempts, so that other workers do not take them over before.
    presence = keepPresence(
      {
        identity: config.workerIdentity,
        process: thisProcess.id,
        supervisorIds: [config.names.supervisorId, config.names.exportId],
        query: database.query,
        client: () => connected.client,
        log,
      },
      ended.signal,
    );
    const bundle = await workflowBundle({
      isTraced: tracing !== undefined,
      encodesFailures: temporal.codec.isEncrypting,
    });
    const exportAttempts = new RunningAttempts(config.workerIdentity);
    const exportDeps: ExportDeps | undefined = config.export && {
      ...deps,
      settings: config.export,
      metrics: exportMetrics,
      trailId,
      askedToEnd: (attempt) => exportAttempts.askedToEnd(attempt),
    };
    const workers = await createWorkers(temporal, deps, trailId, attempts, bundle, {
      tracing,
      exporting: exportDeps && { deps: exportDeps, attempts: exportAttempts },
    });
    log.info({ address, namespace, taskQueue: config.taskQueue }, 'the worker is polling for work');
    await runUntilStopped(
      {
        config,
        trailId,
        temporal,
        workers,
        attempts,
        exportAttempts,
        query: database.query,
        log,
        metrics: controlMetrics,
        readiness,
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted && error === signal.reason) return;
    failure = error;
    throw error;
  } finally {
    ended.abort();
    await phase(log, 'presence', presence);
    await phase(log, 'map', map?.close());
    await phase(log, 'temporal connection', temporal?.close());
    await phase(log, 'process', thisProcess.end(failure));
    await phase(log, 'database pool', database.close());
    await phase(log, 'http', Promise.all(servers.map(closeServer)));
    await phase(log, 'tracing', tracing?.shutdown());
    await phase(log, 'runtime', runtime.shutdown());
  }
}

/**
 * Runs the workers and the control loop until the signal aborts or one of them fails; resolves once both have ended.
 */
async function runUntilStopped(control: ControlDeps, signal: AbortSignal): Promise<void> {
  const { workers, attempts, exportAttempts, readiness } = control;
  const stopped = new AbortController();
  const running = runAll(workers, signal).finally(() => {
    readiness.set('shutting down', 'shutting down');
    stopped.abort();
  });
  const controlled = runControlLoop(control, AbortSignal.any([signal, stopped.signal])).finally(() =>
    stopAll(workers),
  );
  const results = await Promise.allSettled([running, controlled]);
  // Attempts of a failed worker are still running; they commit what they have.
  await Promise.all([attempts.endAll(), exportAttempts.endAll()]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Runs the workers until the signal aborts; when one fails, the others shut down too. */
async function runAll(workers: readonly Worker[], signal: AbortSignal): Promise<void> {
  const stop = () => stopAll(workers);
  const ended = new AbortController();
  const running = workers.map((worker) =>
    Promise.race([worker.run(), untilFailed(worker, ended.signal)]).finally(stop),
  );
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const results = await Promise.allSettled(running);
  ended.abort();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * Rejects when the worker has failed, for example because Temporal refused its polls for a minute. `run` does not
 * reject: it waits for activities whose results a failed worker no longer accepts. Such a worker can be neither shut
 * down nor reused.
 */
async function untilFailed(worker: Worker, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (worker.getState() === 'FAILED')
      throw new Error("Temporal rejected this worker's polls; the worker exits and must be restarted");
    await pause(1_000, signal);
  }
}

function stopAll(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

/**
 * Waits while supervisor or schedules belong to another database; certificates and API key are read again during the wait.
 */
function untilTrailIsOwn(
  temporal: Temporal,
  { names }: Config,
  trailId: string,
  waiting: Parameters<typeof untilItWorks>[1],
): Promise<void> {
  return untilItWorks(async () => {
    try {
      await temporal.refresh(() => undefined);
      temporal.codec.keys?.reload();
      const { client } = temporal;
      const limit = AbortSignal.any([waiting.signal, AbortSignal.timeout(callTimeoutMs)]);
      await client.withAbortSignal(limit, () => checkTrailOwner(client, names, trailId));
    } catch (error) {
      throw await temporal.explain(error);
    }
  }, waiting);
}

/** Runs one phase of the shutdown, with a limit of a few seconds so that it does not delay the others. */
async function phase(log: Logger, name: string, work: Promise<unknown> | undefined): Promise<void> {
  if (!work) return;
  const limit = new AbortController();
  const ended = work.then(
    () => true,
    (error: unknown) => {
      log.warn({ err: error, phase: name }, 'A phase of the shutdown failed');
      return true;
    },
  );
  const isInTime = await Promise.race([ended, pause(phaseLimitMs, limit.signal).then(() => false)]);
  limit.abort();
  if (!isInTime) log.warn({ phase: name }, 'A phase of the shutdown took too long');
}
