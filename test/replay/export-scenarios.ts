import { randomUUID } from 'node:crypto';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { Worker, type NativeConnection } from '@temporalio/worker';
import type { ExportActivities } from '../../src/activities/index.ts';
import { exportTaskQueue, exportWorkflowType } from '../../src/config/temporal-names.ts';
import type { ExportSummary } from '../../src/flow-logs/summary.ts';
import type { ExportSupervisorInput } from '../../src/workflows/status.ts';
import { until } from '../support/poll.ts';

/** One attempt of the fake activity. */
type Attempt = (attempt: number) => Promise<ExportSummary>;

/** A run of the export's supervisor with a fake activity. */
interface ExportScenario {
  /** Name of the file under histories/<version>/export/. */
  name: string;
  exportFlows: Attempt;
  input?: ExportSupervisorInput;
  /** Ends the run if the activity does not. */
  during?: (handle: WorkflowHandle) => Promise<unknown>;
}

const summary: ExportSummary = {
  from: '2026-11-23T06:00:00.000Z',
  to: '2026-11-23T12:00:00.000Z',
  ended: 'window',
  buckets: 1_440,
  records: 835_200,
  rejected: 2,
  gaps: 0,
  lastError: 'the receiver otel-collector:4318 answers 503: it takes nothing now',
};

const completes: Attempt = () => Promise.resolve(summary);

/** Runs until it is cancelled or its worker shuts down. */
const runsOn =
  ({ isBeating }: { isBeating: boolean }): Attempt =>
  () =>
    new Promise((_resolve, reject) => {
      const context = Context.current();
      const timer = setInterval(() => {
        if (isBeating) context.heartbeat();
      }, 50);
      context.cancellationSignal.addEventListener('abort', () => {
        clearInterval(timer);
        reject(new CancelledFailure('it was interrupted'));
      });
    });

/** Short time-outs for the recording. */
const quick: ExportSupervisorInput = { heartbeatTimeoutMs: 1_500, maxBackoffMs: 1_000 };

/** The shapes of history of the export's supervisor, which has no signals. */
export const exportScenarios: readonly ExportScenario[] = [
  // With production's options, because export-replay.test.ts counts its actions.
  { name: 'window', exportFlows: completes },
  {
    name: 'failed-attempts',
    input: quick,
    exportFlows: (attempt) =>
      attempt < 3
        ? Promise.reject(
            ApplicationFailure.create({ type: 'database_lost', message: 'the database is away' }),
          )
        : completes(attempt),
  },
  {
    // As after the loss of a machine: the heartbeat time-out ends the first attempt.
    name: 'lost-attempt',
    input: quick,
    exportFlows: (attempt) => (attempt === 1 ? runsOn({ isBeating: false }) : completes)(attempt),
  },
  {
    name: 'ended-by-hand',
    input: quick,
    exportFlows: () => Promise.reject(ApplicationFailure.nonRetryable('ended by hand')),
  },
  {
    name: 'cancelled',
    input: quick,
    exportFlows: runsOn({ isBeating: true }),
    during: (handle) => handle.cancel(),
  },
  {
    // As when a worker without a receiver disables the export.
    name: 'terminated',
    input: quick,
    exportFlows: runsOn({ isBeating: true }),
    during: (handle) => handle.terminate('No worker has OTLP_LOGS_ENDPOINT'),
  },
];

/** Runs the scenario on separate workers. @returns the first run, which has ended */
export async function runExportScenario(
  parts: { client: Client; native: NativeConnection; workflowBundle: { code: string } },
  { name, exportFlows, input, during }: ExportScenario,
): Promise<WorkflowHandle> {
  const { client, native, workflowBundle } = parts;
  const taskQueue = `recorded-export-${name}`;
  const common = { connection: native, identity: 'recorder' };
  let attempts = 0;
  const activities: ExportActivities = {
    exportFlows() {
      attempts += 1;
      return exportFlows(Context.current().info.attempt);
    },
  };
  const exporter = await Worker.create({
    ...common,
    taskQueue: exportTaskQueue(taskQueue),
    activities,
    maxHeartbeatThrottleInterval: 50,
  });
  const supervisor = await Worker.create({ ...common, taskQueue, workflowBundle });
  return supervisor.runUntil(
    exporter.runUntil(async () => {
      const { workflowId, firstExecutionRunId } = await client.workflow.start(exportWorkflowType, {
        workflowId: `export-${randomUUID()}`,
        taskQueue,
        args: input ? [input] : [],
      });
      const handle = client.workflow.getHandle(workflowId, firstExecutionRunId, { followRuns: false });
      await until('an attempt runs', () => attempts > 0 || undefined);
      await during?.(handle);
      await handle.result().catch(() => undefined);
      const { status } = await client.workflow.getHandle(workflowId).describe();
      if (status.name === 'RUNNING') await client.workflow.getHandle(workflowId).terminate('recorded');
      return handle;
    }),
  );
}
