import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import type { TrailNames } from '../config/temporal-names.ts';
import { expectTrailId, trailIdIn } from '../temporal/trail-memo.ts';
import type { TrailClaim } from '../trail/database/trail-claim.ts';

type Memo = Record<string, unknown> | undefined;

/**
 * A memo without an id was created by an older version, and is adopted.
 * @param owner names the memo's owner, for the message
 * @throws TemporalFailure `wrong_trail`
 */
export function expectOwnTrail(owner: string, memo: Memo, trailId: string): void {
  expectTrailId(owner, trailIdIn(memo), trailId);
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
