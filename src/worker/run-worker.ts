import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { memoryLimits } from '../config/memory-limits.ts';
import type { ExportDeps } from '../flow-logs/deps.ts';
import { createExportMetrics } from '../flow-logs/metrics.ts';
import { createReaderMetrics } from '../ingest/metrics.ts';
import type { JobDeps } from '../activities/deps.ts';
import { createJobMetrics } from '../activities/metrics.ts';
import type { Config } from '../config/config.ts';
import { connectGoldmane } from '../goldmane/connection.ts';
import { clusterApiOf } from '../goldmane/cluster-api.ts';
import { ServerClock } from '../goldmane/server-clock.ts';
import { adoptCountedElsewhere } from '../ingest/adopt-counted-elsewhere.ts';
import { readTrailId } from '../trail/database/trail-id.ts';
import { openDatabase } from '../trail/database/database.ts';
import { Temporal } from '../temporal/worker-connection.ts';
import { temporalConfig } from '../temporal/settings.ts';
import { DatabaseTrouble } from './database-trouble.ts';
import { createHeartbeat } from './heartbeat.ts';
import { closeServer } from '../web/bounded-server.ts';
import { createHealthMetrics } from './health-metrics.ts';
import { HealthWatch } from './health-watch.ts';
import { serveHealth, serveMetrics } from './http.ts';
import { startMap, type MapService } from './map.ts';
import { createWorkerMetrics } from './metrics.ts';
import { Readiness } from './readiness.ts';
import { keepPresence } from './presence.ts';
import { reportToSupervisor } from './report-to-supervisor.ts';
import { RunningAttempts } from './running-attempts.ts';
import { installRuntime } from './runtime.ts';
import { migrateSchema, untilTrailIsOwn } from './prepare-trail.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { shutdownPhase } from './shutdown-phase.ts';
import { untilItWorks } from './waiting.ts';
import { WorkerProcess } from './worker-process.ts';
import { createWorkers } from './workers.ts';
import { startTracing } from './tracing.ts';
import { workflowBundle } from './workflow-bundle.ts';

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
      'Digests and alerts are only printed to this log',
    );

  const readiness = new Readiness();
  readiness.set('starting', 'starting');
  const servers: Server[] = [];
  const ended = new AbortController();
  const metrics = createReaderMetrics(runtime.metricMeter);
  const jobMetrics = createJobMetrics(runtime.metricMeter);
  const workerMetrics = createWorkerMetrics(runtime.metricMeter);
  const exportMetrics = createExportMetrics(runtime.metricMeter);
  log.info(memoryLimits, 'Memory limits, derived from the heap');
  const databaseTrouble = new DatabaseTrouble(config.clock);
  const database = openDatabase(config.database, {
    onStatement: (seconds) => workerMetrics.databaseSeconds(seconds),
    onFailure: (error) => databaseTrouble.note(error),
  });
  let temporal: Temporal | undefined;
  let presence: Promise<void> | undefined;
  let map: MapService | undefined;
  const thisProcess = new WorkerProcess({ config, database, log, readiness });
  let failure: unknown;
  try {
    const watch = new HealthWatch({
      config,
      query: database.query,
      log,
      readiness,
      metrics: createHealthMetrics(runtime.metricMeter),
      worker: workerMetrics,
      readers: metrics,
      jobs: jobMetrics,
      temporal: () => temporal,
      databaseTrouble,
    });
    servers.push(await serveMetrics(exporterPort, config.listenHost, config.metricsPort));
    const probes = { notReady: () => readiness.notReady(), report: () => watch.text() };
    servers.push(await serveHealth(probes, config.listenHost, config.httpPort));
    void watch.exportMetrics(AbortSignal.any([signal, ended.signal]));
    const waiting = { log, signal, waiting: (reason: string) => readiness.set('starting', reason) };
    await migrateSchema(database, thisProcess, waiting);
    const readersStart = await untilItWorks(() => thisProcess.begin(signal), waiting);
    // Before anything is merged; otherwise, records that another program has counted would be counted again.
    await untilItWorks(() => adoptCountedElsewhere({ database, config, log }, 0), waiting);
    // Certificate and key files are read at each attempt.
    temporal = await untilItWorks(() => Temporal.connect(temporalConfig, tracing?.client), waiting);
    const trailId = await untilItWorks(() => readTrailId(database.query), waiting);
    // Checked before the worker polls: with another installation's names, it would take that installation's tasks.
    const claimed = await untilTrailIsOwn({ temporal, config, trailId, thisProcess }, waiting);
    const attempts = new RunningAttempts(config.workerIdentity);
    const deps: JobDeps = {
      config,
      database: claimed,
      log,
      metrics,
      jobMetrics,
      serverClock: new ServerClock(config.clock),
      heartbeat: createHeartbeat(config.heartbeat, {
        clock: config.clock,
        log,
        signal,
        onResult: (result) => workerMetrics.heartbeat(result),
      }),
      connectGoldmane: (abort) => connectGoldmane(config.goldmane, { clock: config.clock, signal: abort }),
      clusterApi: clusterApiOf(process.env),
      endingSignal: (attempt) => attempts.endingSignal(attempt),
      readersStart,
      report: reportToSupervisor(temporal, config.clock, log),
    };
    map = await startMap(config, temporal, databaseTrouble, log);
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
      endingSignal: (attempt) => exportAttempts.endingSignal(attempt),
    };
    const workers = await createWorkers(temporal, deps, trailId, attempts, bundle, {
      tracing,
      exporting: exportDeps && { deps: exportDeps, attempts: exportAttempts },
    });
    log.info({ address, namespace, taskQueue: config.names.taskQueue }, 'The worker is polling for work');
    await runUntilStopped(
      {
        config,
        trailId,
        thisProcess,
        temporal,
        workers,
        attempts,
        exportAttempts,
        query: database.query,
        log,
        metrics: workerMetrics,
        readiness,
        databaseTrouble,
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted && error === signal.reason) return;
    failure = error;
    throw error;
  } finally {
    ended.abort();
    await shutdownPhase(log, 'presence', presence);
    await shutdownPhase(log, 'map', map?.close());
    await shutdownPhase(log, 'temporal connection', temporal?.close());
    await shutdownPhase(log, 'process', thisProcess.end(failure));
    await shutdownPhase(log, 'database pool', database.close());
    await shutdownPhase(log, 'http', Promise.all(servers.map(closeServer)));
    await shutdownPhase(log, 'tracing', tracing?.shutdown());
    await shutdownPhase(log, 'runtime', runtime.shutdown());
  }
}
