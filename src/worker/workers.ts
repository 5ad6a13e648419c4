import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { PayloadCodec } from '@temporalio/common';
import { createActivities, type Activities } from '../activities/index.ts';
import { allowlistTaskQueue } from '../config/names.ts';
import type { Deps } from '../ingest/deps.ts';
import type { RunningAttempts } from './running-attempts.ts';
import type { Tracing } from './tracing.ts';
import { refuseOtherTrails } from './trail-owner.ts';

const shutdownForceMs = 20_000;
/** A settling heartbeat is due every four minutes; the SDK would send one every 60 s. */
const maxHeartbeatThrottleMs = 240_000;
const allowlistsAtOnce = 1;

type DeriveArguments = Parameters<Activities['deriveAllowlist']>;

interface Connected {
  readonly native: NonNullable<Worker['connection']>;
  readonly namespace: string;
  readonly codec: PayloadCodec;
}

/**
 * Creates two workers: one for all workflows and activities, and one that only derives allowlists, one at a time, from
 * its own task queue, so that derivations never take a slot that a reader needs.
 */
export async function createWorkers(
  { native, namespace, codec }: Connected,
  deps: Deps,
  trailId: string,
  attempts: RunningAttempts,
  bundle: WorkflowBundleOption,
  tracing?: Tracing,
): Promise<Worker[]> {
  const { taskQueue, workerIdentity, names } = deps.config;
  const activities = createActivities(deps);
  const options = {
    connection: native,
    namespace,
    dataConverter: { payloadCodecs: [codec] },
    identity: workerIdentity,
    interceptors: {
      activity: [
        ...(tracing?.activities ?? []),
        refuseOtherTrails(trailId, names.supervisorId),
        attempts.interceptor,
      ],
    },
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
  ]);
}
