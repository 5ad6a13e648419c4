import { randomUUID } from 'node:crypto';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, noopMetricMeter } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { JobDeps } from '../../src/activities/deps.ts';
import { createJobMetrics } from '../../src/activities/metrics.ts';
import { createReaderMetrics } from '../../src/ingest/metrics.ts';
import { loadConfig } from '../../src/config/config.ts';
import { connectGoldmane } from '../../src/goldmane/connection.ts';
import { ServerClock } from '../../src/goldmane/server-clock.ts';
import { jobs, type JobName } from '../../src/config/temporal-names.ts';
import type { Database } from '../../src/trail/database/database.ts';
import { readTrailId } from '../../src/trail/database/trail-id.ts';
import { RunningAttempts } from '../../src/worker/running-attempts.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { createWorkers } from '../../src/worker/workers.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { until } from './poll.ts';

/** The outcome of a run: its result, or the type and message of the failure as shown in the UI. */
export type Outcome =
  | { result: Record<string, unknown> }
  | { failed: string; message: string; details: unknown };

interface ScheduledJob {
  trigger(): Promise<Outcome>;
  delete(): Promise<void>;
}

let isQuiet = false;
/** Created once per process, because it takes seconds. */
let bundle: ReturnType<typeof makeWorkflowBundle> | undefined;

/** Workers in this process with the real activities, on separate task queues, and a client that starts runs. */
export class JobWorker {
  readonly client: Client;
  readonly deps: JobDeps;
  readonly taskQueue: string;
  readonly #native: NativeConnection;
  readonly #workers: readonly Worker[];
  readonly #running: Promise<unknown>;

  private constructor(client: Client, deps: JobDeps, native: NativeConnection, workers: readonly Worker[]) {
    this.client = client;
    this.deps = deps;
    this.taskQueue = deps.config.names.taskQueue;
    this.#native = native;
    this.#workers = workers;
    this.#running = Promise.all(workers.map((worker) => worker.run()));
  }

  /** @param env settings as the worker reads them; DATABASE_URL may be missing */
  static async start(
    address: string,
    database: Database,
    env: NodeJS.ProcessEnv,
    more: Partial<JobDeps> = {},
  ): Promise<JobWorker> {
    if (!isQuiet)
      Runtime.install({
        logger: new DefaultLogger('ERROR'),
        telemetryOptions: { logging: { filter: 'ERROR' } },
      });
    isQuiet = true;
    const config = loadConfig({
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      TEMPORAL_TASK_QUEUE: `jobs-${randomUUID()}`,
      ...env,
    });
    const deps: JobDeps = {
      config,
      database,
      log: pino({ level: 'silent' }),
      metrics: createReaderMetrics(noopMetricMeter),
      jobMetrics: createJobMetrics(noopMetricMeter),
      serverClock: new ServerClock(config.clock),
      connectGoldmane: (signal) => connectGoldmane(config.goldmane, { clock: config.clock, signal }),
      heartbeat: { succeeded: () => undefined, failed: () => undefined },
      report: () => false,
      ...more,
    };
    const [native, connection, workflowBundle] = await Promise.all([
      NativeConnection.connect({ address }),
      Connection.connect({ address }),
      (bundle ??= makeWorkflowBundle()),
    ]);
    const workers = await createWorkers(
      { native, namespace: 'default', codec: new EncryptionCodec(undefined) },
      deps,
      await readTrailId(database.query),
      new RunningAttempts(config.workerIdentity),
      workflowBundle,
    );
    return new JobWorker(new Client({ connection }), deps, native, workers);
  }

  /** Starts the job without a schedule and waits for its outcome. */
  async run(job: JobName, args: unknown[] = []): Promise<Outcome> {
    const handle = await this.client.workflow.start(jobs[job].workflowType, {
      workflowId: `${job}-${randomUUID()}`,
      taskQueue: this.taskQueue,
      args,
      workflowRunTimeout: '2m',
    });
    return outcomeOf(handle.result());
  }

  /** Creates a schedule that is never due, to be triggered. With a schedule, a run receives the previous run's result. */
  async schedule(job: JobName, args: unknown[] = []): Promise<ScheduledJob> {
    const handle = await this.client.schedule.create({
      scheduleId: `${job}-${randomUUID()}`,
      spec: {},
      action: {
        type: 'startWorkflow',
        workflowType: jobs[job].workflowType,
        taskQueue: this.taskQueue,
        args,
        workflowRunTimeout: '2m',
      },
    });
    let runs = 0;
    return {
      trigger: async () => {
        await until('the schedule has recorded the end of the previous run', async () => {
          const { info } = await handle.describe();
          return info.runningActions.length === 0 ? true : undefined;
        });
        // By default, triggered runs can overlap, and then a run does not receive the previous result.
        await handle.trigger('SKIP');
        runs += 1;
        const { workflow } = await until('the schedule has started the run', async () => {
          const { info } = await handle.describe();
          return info.numActionsTaken === runs ? info.recentActions.at(-1)?.action : undefined;
        });
        return outcomeOf(
          this.client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId).result(),
        );
      },
      delete: () => handle.delete(),
    };
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.shutdown();
    await this.#running;
    await this.client.connection.close();
    await this.#native.close();
  }
}

async function outcomeOf(running: Promise<unknown>): Promise<Outcome> {
  try {
    const result: unknown = await running;
    return { result: { ...(typeof result === 'object' ? result : { result }) } };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    const { type, message, details } = error.cause;
    return { failed: type ?? '', message, details: details?.[0] };
  }
}
