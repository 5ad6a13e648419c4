import { ActivityCancellationType, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { minuteMs } from '../time/units.ts';
import type { ExportActivities } from '../activities/index.ts';
import { exportTaskQueue } from '../config/temporal-names.ts';
import { readExportInput } from './received.ts';
const defaultWindowMs = 6 * 60 * minuteMs;
/**
 * A worker sends a heartbeat after four fifths of this timeout, and Temporal Cloud bills each as an action. It
 * detects a worker that disappeared with its machine; Goldmane keeps records for one hour.
 */
const defaultHeartbeatTimeoutMs = 10 * minuteMs;

/** Keeps the export of flow logs running, independently of the trail's supervisor: window after window, each in its
 * own run. The activity itself waits while the receiver, Goldmane or the database is unavailable, so it rarely fails.
 */
export async function superviseExport(input?: unknown): Promise<void> {
  const options = readExportInput(input);
  const windowMs = options.windowMs ?? defaultWindowMs;
  const { exportFlows } = proxyActivities<ExportActivities>({
    taskQueue: exportTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: windowMs / (options.speed ?? 1) + 10 * minuteMs,
    heartbeatTimeout: options.heartbeatTimeoutMs ?? defaultHeartbeatTimeoutMs,
    retry: {
      initialInterval: 1_000,
      backoffCoefficient: 2,
      maximumInterval: options.maxBackoffMs ?? minuteMs,
    },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: 'Export flow logs for one window',
  });
  await exportFlows({ windowMs });
  await continueAsNew<typeof superviseExport>(options);
}
