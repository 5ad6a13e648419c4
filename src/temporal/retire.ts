import { ScheduleNotFoundError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { jobNames, type TrailNames } from '../config/temporal-names.ts';
import { describeWorkflow } from './describe-workflow.ts';
import { isOpen } from './open-run.ts';
import { expectTrailId, trailIdIn } from './trail-memo.ts';

/** Something of a trail in Temporal that exists without its workers. */
export interface Remnant {
  kind: 'workflow' | 'schedule';
  id: string;
  /** Of its database; undefined if an older version created it. */
  trailId: string | undefined;
  /** On which its workers poll. */
  taskQueue: string;
}

/** The running supervisor and export, and the schedules. @throws the client's errors */
export async function findRemnants(client: Client, names: TrailNames): Promise<Remnant[]> {
  const found: Remnant[] = [];
  for (const id of [names.supervisorId, names.exportId]) {
    const description = await describeWorkflow(client, id);
    if (description && isOpen(description))
      found.push({
        kind: 'workflow',
        id,
        trailId: trailIdIn(description.memo),
        taskQueue: description.taskQueue,
      });
  }
  for (const job of jobNames) {
    const id = names.scheduleIds[job];
    try {
      const { action } = await client.schedule.getHandle(id).describe();
      found.push({ kind: 'schedule', id, trailId: trailIdIn(action.memo), taskQueue: action.taskQueue });
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
  return found;
}

/** @throws TemporalFailure `wrong_trail` when one of them belongs to another trail */
export function expectRemnantsOf(trailId: string, remnants: readonly Remnant[]): void {
  for (const remnant of remnants) expectTrailId(remnant.id, remnant.trailId, trailId);
}

/**
 * Schedules first: they start no further runs. Safe to repeat.
 * @param reason is shown in the histories of terminated workflows
 * @throws the client's errors
 */
export async function removeRemnants(
  client: Client,
  remnants: readonly Remnant[],
  reason = 'the trail was retired',
): Promise<void> {
  for (const { kind, id } of remnants.toSorted((a, b) => a.kind.localeCompare(b.kind)))
    try {
      if (kind === 'schedule') await client.schedule.getHandle(id).delete();
      else await client.workflow.getHandle(id).terminate(reason);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError || error instanceof WorkflowNotFoundError)) throw error;
    }
}
