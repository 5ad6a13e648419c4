import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { trailIdField, type TrailNames } from '../config/names.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import { secondSupervisor, wrongTrail, wrongTrailActivity } from '../temporal/failure.ts';
import { trailIdIn } from '../temporal/trail-memo.ts';
import type { TrailClaim } from '../trail/database/trail-claim.ts';

type Memo = Record<string, unknown> | undefined;

/**
 * A memo without an id was created by an older version, and is adopted.
 * @param owner names the memo's owner, for the message
 * @throws TemporalFailure `wrong_trail`
 */
export function expectOwnTrail(owner: string, memo: Memo, trailId: string): void {
  const other = trailIdIn(memo);
  if (other !== undefined && other !== trailId) throw wrongTrail(owner, other, trailId);
}

/** Where this worker reads: supervisor and Temporal namespace, with the namespace's id. @throws whatever the client throws */
export async function readTrailClaim(
  client: Client,
  { supervisorId }: Pick<TrailNames, 'supervisorId'>,
): Promise<TrailClaim> {
  const { namespace } = client.options;
  const described = await client.workflowService.describeNamespace({ namespace }).catch((error: unknown) => {
    // A credential may allow less than the worker needs otherwise; the name alone still tells most trails apart.
    if (isGrpcServiceError(error) && error.code === status.PERMISSION_DENIED) return undefined;
    throw error;
  });
  const id = described?.namespaceInfo?.id;
  return { supervisor: supervisorId, temporalNamespace: id ? `${namespace} (${id})` : namespace };
}

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
