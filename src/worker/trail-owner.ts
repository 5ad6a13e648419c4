import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import { defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { jobNames, type TrailNames } from '../config/names.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { wrongTrail } from '../temporal/failure.ts';
import { trailIdField } from '../workflows/messages.ts';

type Memo = Record<string, unknown> | undefined;

/**
 * Without an id it was made by an older version, and is adopted.
 * @param owner what carries the memo, for the message
 * @throws TemporalFailure `wrong_trail`
 */
export function expectOwnTrail(owner: string, memo: Memo, trailId: string): void {
  const other = memo?.[trailIdField];
  if (typeof other === 'string' && other !== trailId) throw wrongTrail(owner, other, trailId);
}

/**
 * Reads the running supervisor and the schedules, and changes nothing.
 * @throws TemporalFailure `wrong_trail` when one of them belongs to another database; whatever the client throws
 */
export async function checkTrailOwner(client: Client, names: TrailNames, trailId: string): Promise<void> {
  try {
    const { status, memo } = await client.workflow.getHandle(names.supervisorId).describe();
    if (status.name === 'RUNNING') expectOwnTrail(names.supervisorId, memo, trailId);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  for (const job of jobNames) {
    const scheduleId = names.scheduleIds[job];
    try {
      const { action } = await client.schedule.getHandle(scheduleId).describe();
      expectOwnTrail(scheduleId, action.memo, trailId);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
}

/** Fails activities that were started for another database's trail, before they read or write anything. */
export function refuseOtherTrails(trailId: string): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const header = input.headers[trailIdField];
        try {
          if (header)
            expectOwnTrail(
              `activity ${info.activityType}`,
              { [trailIdField]: defaultPayloadConverter.fromPayload<unknown>(header) },
              trailId,
            );
        } catch (error) {
          throw toActivityFailure(error);
        }
        return next(input);
      },
    },
  });
}
