import { defaultPayloadConverter } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { trailIdField, type TrailNames } from '../config/temporal-names.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { secondSupervisor, wrongTrailActivity } from '../temporal/failure.ts';

/**
 * Fails activities that were started for another database's trail, or readers of a second supervisor, before they read or
 * write anything. A run that was started by hand without a trail id belongs to the task queue's trail.
 */
export function refuseOtherTrails(
  trailId: string,
  { supervisorId, exportId }: Pick<TrailNames, 'supervisorId' | 'exportId'>,
): ActivityInterceptorsFactory {
  const supervisors = new Map([
    ['streamFlows', supervisorId],
    ['settleBuckets', supervisorId],
    ['exportFlows', exportId],
  ]);
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const { activityType, taskQueue, workflowExecution } = info;
        const header = input.headers[trailIdField];
        const other: unknown = header && defaultPayloadConverter.fromPayload(header);
        if (typeof other === 'string' && other !== trailId)
          throw toActivityFailure(wrongTrailActivity(activityType, taskQueue, other, trailId));
        const expectedId = supervisors.get(activityType);
        if (expectedId !== undefined && workflowExecution && workflowExecution.workflowId !== expectedId)
          throw toActivityFailure(secondSupervisor(workflowExecution.workflowId, expectedId));
        return next(input);
      },
    },
  });
}
