import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { exportWorkflowType, supervisorWorkflowType } from '../config/temporal-names.ts';
import { readPause } from '../workflows/received.ts';
import {
  emptyStatus,
  withPause,
  type ExportSupervisorInput,
  type Pause,
  type SupervisorInput,
} from '../workflows/status.ts';
import type { KeptWorkflow } from './workflow-keeper.ts';

/** The trail's supervisor; a pause survives a new start. */
export function trailSupervisor({ names, clockSpeed }: Config): KeptWorkflow {
  return {
    type: supervisorWorkflowType,
    workflowId: names.supervisorId,
    options(former) {
      const paused = pauseOf(former);
      const input: SupervisorInput = {
        // On a fast clock Temporal's own time-outs, which stay in real time, must be shorter.
        ...(clockSpeed === 1 ? {} : { speed: clockSpeed, heartbeatTimeoutMs: 5_000, maxBackoffMs: 2_000 }),
        ...(paused ? { status: withPause(emptyStatus(new Date().toISOString()), paused) } : {}),
      };
      return {
        args: [input],
        memo: { state: paused ? 'paused' : 'starting', ...(paused ? { paused } : {}) },
        staticSummary: 'Supervises the flow trail',
        staticDetails:
          'Runs the two readers, `streamFlows` and `settleBuckets`, in windows of 15 minutes.\n\n' +
          'Signals: `pause` stops the readers, `resume` starts them again, `freshWindow` starts new windows now.\n\n' +
          'A worker restarts this workflow if it is cancelled or terminated.',
      };
    },
  };
}

/** The supervisor of the export, which runs while a worker has a receiver of flow logs. */
export function exportSupervisor({ names, clockSpeed }: Config): KeptWorkflow {
  return {
    type: exportWorkflowType,
    workflowId: names.exportId,
    options() {
      const input: ExportSupervisorInput =
        clockSpeed === 1 ? {} : { speed: clockSpeed, heartbeatTimeoutMs: 5_000, maxBackoffMs: 2_000 };
      return {
        args: [input],
        staticSummary: 'Exports flow logs',
        staticDetails:
          'Runs the activity `exportFlows` in windows of six hours. `flow-trail status` shows its progress.\n\n' +
          'A worker with `OTLP_LOGS_ENDPOINT` restarts this workflow if it is cancelled or terminated. It is terminated once no worker has `OTLP_LOGS_ENDPOINT`.',
      };
    },
  };
}

function pauseOf(description: WorkflowExecutionDescription | undefined): Pause | undefined {
  return readPause(description?.memo?.['paused']);
}
