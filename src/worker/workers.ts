import { setFlagsFromString } from 'node:v8';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { createActivities, createExportActivities, type Activities } from '../activities/index.ts';
import { allowlistTaskQueue, exportTaskQueue } from '../config/temporal-names.ts';
import type { ExportDeps } from '../flow-logs/deps.ts';
import type { JobDeps } from '../activities/deps.ts';
import type { EncryptionCodec } from '../temporal/codec.ts';
import type { RunningAttempts } from './running-attempts.ts';
import type { Tracing } from './tracing.ts';
import { refuseOtherTrails } from './refuse-other-trails.ts';

const shutdownForceMs = 20_000;
/** A heartbeat of the readers is due every four minutes; the SDK would send one every 60 s. */
const maxHeartbeatThrottleMs = 240_000;
/** The same for the export, whose heartbeats are due every eight minutes. */
const maxExportThrottleMs = 480_000;
const allowlistsAtOnce = 1;
const encodingFailureConverter = fileURLToPath(
  new URL(
    `../temporal/encoding-failure-converter.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
    import.meta.url,
  ),
);

type DeriveArguments = Parameters<Activities['deriveAllowlist']>;

interface Connected {
  readonly native: NonNullable<Worker['connection']>;
  readonly namespace: string;
  readonly codec: EncryptionCodec;
}

/** Dependencies of a worker that exports flow logs. */
interface ExportWorker {
  deps: ExportDeps;
  attempts: RunningAttempts;
}

/**
 * Creates a worker for all workflows and activities, one that only derives allowlists, one at a time, from a
 * separate task queue (so derivations never take a slot that a reader needs), and one that exports flow logs, if this
 * process has a receiver.
 */
export async function createWorkers(
  { native, namespace, codec }: Connected,
  deps: JobDeps,
  trailId: string,
  attempts: RunningAttempts,
  bundle: WorkflowBundleOption,
  { tracing, exporting }: { tracing?: Tracing | undefined; exporting?: ExportWorker | undefined } = {},
): Promise<Worker[]> {
  // Saves 6 MiB of resident memory: V8 reads the flag when it creates an isolate, here that of the SDK's workflow thread,
  // which allocates little. The main thread keeps its own size.
  setFlagsFromString('--max-semi-space-size=1');
  const { workerIdentity, names } = deps.config;
  const { taskQueue } = names;
  const activities = createActivities(deps);
  const interceptorsWith = (running: RunningAttempts) => ({
    activity: [...(tracing?.activities ?? []), refuseOtherTrails(trailId, names), running.interceptor],
  });
  const options = {
    connection: native,
    namespace,
    dataConverter: {
      payloadCodecs: [codec],
      ...(codec.isEncrypting ? { failureConverterPath: encodingFailureConverter } : {}),
    },
    identity: workerIdentity,
    interceptors: interceptorsWith(attempts),
    ...(tracing ? { sinks: tracing.sinks } : {}),
    // An activity is notified of the shutdown when the grace time ends; it then commits what it has.
    shutdownGraceTime: 0,
    shutdownForceTime: shutdownForceMs,
  };
  return Promise.all([
    Worker.create({
      ...options,
      taskQueue,
      workflowBundle: bundle,
      activities: { ...activities },
      maxHeartbeatThrottleInterval: maxHeartbeatThrottleMs,
    }),
    Worker.create({
      ...options,
      taskQueue: allowlistTaskQueue(taskQueue),
      activities: { deriveAllowlist: (...args: DeriveArguments) => activities.deriveAllowlist(...args) },
      maxConcurrentActivityTaskExecutions: allowlistsAtOnce,
    }),
    ...(exporting
      ? [
          Worker.create({
            ...options,
            interceptors: interceptorsWith(exporting.attempts),
            taskQueue: exportTaskQueue(taskQueue),
            activities: { ...createExportActivities(exporting.deps) },
            maxHeartbeatThrottleInterval: maxExportThrottleMs,
          }),
        ]
      : []),
  ]);
}
