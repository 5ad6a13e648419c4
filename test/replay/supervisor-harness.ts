import { randomUUID } from 'node:crypto';
import {
  Client,
  Connection,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { supervisorWorkflowType } from '../../src/config/temporal-names.ts';
import type { RunningAttempts } from '../../src/worker/running-attempts.ts';
import type { SupervisorInput } from '../../src/workflows/status.ts';
import { FakeReaders } from './fake-readers.ts';

/** Runs supervisors with fake readers, on a separate worker and task queue. */
export class SupervisorHarness {
  readonly readers: FakeReaders;
  readonly client: Client;
  readonly taskQueue: string;
  readonly #native: NativeConnection;
  readonly #worker: Worker;
  readonly #running: Promise<void>;

  private constructor(parts: {
    readers: FakeReaders;
    client: Client;
    taskQueue: string;
    native: NativeConnection;
    worker: Worker;
  }) {
    this.readers = parts.readers;
    this.client = parts.client;
    this.taskQueue = parts.taskQueue;
    this.#native = parts.native;
    this.#worker = parts.worker;
    this.#running = parts.worker.run();
  }

  static async start(
    address: string,
    workflowBundle: { code: string },
    taskQueue = `supervisor-${randomUUID()}`,
    attempts?: RunningAttempts,
  ): Promise<SupervisorHarness> {
    quietRuntime();
    const readers = new FakeReaders();
    const native = await NativeConnection.connect({ address });
    const connection = await Connection.connect({ address });
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      identity: 'test',
      workflowBundle,
      activities: readers.activities,
      ...(attempts ? { interceptors: { activity: [attempts.interceptor] } } : {}),
      shutdownGraceTime: 0,
      maxHeartbeatThrottleInterval: 50,
    });
    const client = new Client({ connection, identity: 'test' });
    return new SupervisorHarness({ readers, client, taskQueue, native, worker });
  }

  /** Starts a supervisor with short time-outs. */
  supervise(input: SupervisorInput = {}): Promise<WorkflowHandleWithFirstExecutionRunId> {
    return this.client.workflow.start(supervisorWorkflowType, this.#options(input));
  }

  /** Starts a supervisor that receives a signal with its first workflow task. */
  superviseWithSignal(signal: string, signalArgs: unknown[]): Promise<WorkflowHandle> {
    return this.client.workflow.signalWithStart(supervisorWorkflowType, {
      ...this.#options({}),
      signal,
      signalArgs,
    });
  }

  async close(): Promise<void> {
    this.readers.endAll();
    this.#worker.shutdown();
    await this.#running;
    await this.client.connection.close();
    await this.#native.close();
  }

  #options(input: SupervisorInput) {
    return {
      workflowId: `supervisor-${randomUUID()}`,
      taskQueue: this.taskQueue,
      args: [{ heartbeatTimeoutMs: 1_500, maxBackoffMs: 1_000, ...input }],
      workflowRunTimeout: '2m' as const,
    };
  }
}

let isQuiet = false;

/** Installs the process's Temporal runtime, which logs only errors. */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR' } },
  });
}
