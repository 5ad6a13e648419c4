import type { Server } from 'node:http';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/index.ts';
import { memoryLimits } from '../config/memory-limits.ts';
import { createMetrics } from '../ingest/metrics.ts';
import type { Deps } from '../ingest/deps.ts';
import type { Config } from '../config/config.ts';
import { connectGoldmane } from '../goldmane/connection.ts';
import { clusterApiOf } from '../goldmane/operator-secret.ts';
import { ServerClock } from '../goldmane/server-clock.ts';
import { supervisorWorkflowId, supervisorWorkflowType } from '../config/names.ts';
import { openDatabase } from '../trail/database.ts';
import { migrate, type MigrationProgress } from '../trail/migrate.ts';
import { progressSignal } from '../workflows/messages.ts';
import type { SupervisorInput } from '../workflows/status.ts';
import { startMap, type MapService } from './map.ts';
import { portProblem, serveHealth, socketAddress } from './http.ts';
import { temporalLogger } from './logging.ts';
import { ensureSchedules } from './schedules.ts';
import { connectTemporal, type Temporal } from '../temporal/connection.ts';
import { explainNoAnswer } from '../temporal/explain-failure.ts';
import { temporalConfig } from '../temporal/settings.ts';
import { workflowBundle } from './workflow-bundle.ts';

const shutdownForceMs = 20_000;
const phaseLimitMs = 5_000;
const tellTimeoutMs = 10_000;
/** While Temporal is away every poller says so again and again; tellSupervisor says it once, with the cure. */
const coreLogFilter = `${makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' })},temporalio_client::retry=ERROR`;

/**
 * Runs the worker until the signal aborts: settings, telemetry, database, Temporal, supervisor, polling. Whatever is not
 * there yet is waited for, with a message that names it and its cure; nothing has to be started in an order.
 */
export async function runWorker(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  const connectConfig = temporalConfig();
  const runtime = installRuntime(config, log);
  if (config.goldmane.insecure)
    log.warn(
      'GOLDMANE_TLS_INSECURE is set: whoever answers is taken for Goldmane, and could feed the trail lies',
    );

  if (config.jobs.slack.dryRun || !config.jobs.slack.webhook)
    log.warn(
      `${config.jobs.slack.dryRun ? 'DRY_RUN is set' : 'SLACK_WEBHOOK_URL is empty'}: digests and alerts are printed here, and nobody is told`,
    );

  let notReady: string | undefined = 'starting';
  let health: Server | undefined;
  const metrics = createMetrics(runtime.metricMeter);
  log.info(memoryLimits, 'memory limits, derived from the heap');
  const database = openDatabase(config.database, {
    onStatement: (seconds) => metrics.databaseSeconds(seconds),
  });
  let temporal: Temporal | undefined;
  let map: MapService | undefined;
  try {
    health = await serveHealth({ notReady: () => notReady }, config.listenHost, config.httpPort);
    const waiting = (reason: string) => (notReady = reason);
    const onProgress = (progress: MigrationProgress) => log.info(progress, 'migrating the schema');
    const applied = await untilItWorks(() => migrate(database, { onProgress, signal }), {
      log,
      signal,
      waiting,
    });
    if (applied.length > 0) log.info({ migrations: applied }, 'the schema was brought up to date');
    temporal = await untilItWorks(() => connectTemporal(connectConfig), { log, signal, waiting });
    const { client, native, namespace, address } = temporal;
    const deps: Deps = {
      config,
      database,
      log,
      metrics,
      serverClock: new ServerClock(config.clock),
      connectGoldmane: (abort) => connectGoldmane(config.goldmane, { clock: config.clock, signal: abort }),
      clusterApi: clusterApiOf(process.env),
      report: tellSupervisor(temporal, log),
    };
    map = await startMap(config, client, log);
    const worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: config.taskQueue,
      identity: config.workerIdentity,
      workflowBundle: await workflowBundle(),
      activities: createActivities(deps),
      // An activity learns of the shutdown when the grace time ends; it commits what it has by itself.
      shutdownGraceTime: 0,
      shutdownForceTime: shutdownForceMs,
    });
    const stop = () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    const running = worker.run();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    notReady = undefined;
    log.info({ address, namespace, taskQueue: config.taskQueue }, 'the worker polls for work');
    await Promise.all([
      running.finally(() => (notReady = 'shutting down')),
      untilItWorks(
        async () => {
          await startSupervisor(client, config);
          await ensureSchedules(client, config, log);
        },
        { log, signal, waiting: () => {} },
      ).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      }),
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
    if (error !== signal.reason) throw error;
  } finally {
    await phase(log, 'map', map?.close());
    await phase(log, 'temporal connection', temporal?.close());
    await phase(log, 'database pool', database.close());
    await phase(log, 'http', health && closed(health));
    await phase(log, 'runtime', runtime.shutdown());
  }
}

function installRuntime({ listenHost, metricsPort }: Config, log: Logger): Runtime {
  try {
    return Runtime.install({
      logger: temporalLogger(log),
      telemetryOptions: {
        logging: { filter: coreLogFilter, forward: {} },
        metrics: {
          prometheus: {
            bindAddress: socketAddress(listenHost, metricsPort),
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        },
      },
    });
  } catch (error) {
    throw portProblem('METRICS_PORT', listenHost, metricsPort, error);
  }
}

/** What the readers tell is for display: when it cannot be told, the log says so once, and the readers go on. */
function tellSupervisor({ client, address, namespace }: Temporal, log: Logger): Deps['report'] {
  let isAway = false;
  return async (workflowId, progress) => {
    try {
      // A deadline would be one of each try, and the client tries ten times.
      await client.withAbortSignal(AbortSignal.timeout(tellTimeoutMs), () =>
        client.workflow.getHandle(workflowId).signal(progressSignal, progress),
      );
      if (isAway) log.info({ address }, 'Temporal answers again');
      isAway = false;
    } catch (error) {
      if (isAway || error instanceof WorkflowNotFoundError) return;
      isAway = true;
      log.warn(`${explainNoAnswer(address, namespace, error).message}; what is under way goes on meanwhile`);
    }
  };
}

/** Starts the supervisor if it is not running; never a second one, because its id is taken. */
async function startSupervisor(client: Client, { taskQueue, clockSpeed }: Config): Promise<void> {
  // On a fast clock Temporal's own time-outs, which stay in real time, have to keep up.
  const fast: SupervisorInput = { speed: clockSpeed, heartbeatTimeoutMs: 5_000, maxBackoffMs: 2_000 };
  await client.workflow.start(supervisorWorkflowType, {
    workflowId: supervisorWorkflowId,
    taskQueue,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [clockSpeed === 1 ? {} : fast],
    memo: { state: 'starting' },
  });
}

interface Waiting {
  log: Logger;
  signal: AbortSignal;
  waiting: (reason: string) => void;
}

/** Tries until it works or the signal aborts, backing off to 15 s; says what it waits for when that changes. */
async function untilItWorks<Result>(
  work: () => Promise<Result>,
  { log, signal, waiting }: Waiting,
): Promise<Result> {
  let said = '';
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      waiting(reason);
      if (reason !== said) log.warn(`waiting: ${reason}`);
      said = reason;
      await pause(Math.min(15_000, 500 * 2 ** failures), signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Shutdown goes by named phases, none of which may hold up the others. */
async function phase(log: Logger, name: string, work: Promise<unknown> | undefined): Promise<void> {
  if (!work) return;
  const limit = new AbortController();
  const ended = work.then(
    () => true,
    (error: unknown) => {
      log.warn({ err: error, phase: name }, 'a phase of the shutdown failed');
      return true;
    },
  );
  const isInTime = await Promise.race([ended, pause(phaseLimitMs, limit.signal).then(() => false)]);
  limit.abort();
  if (!isInTime) log.warn({ phase: name }, 'a phase of the shutdown took too long');
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
