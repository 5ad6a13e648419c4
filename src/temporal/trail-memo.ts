import { trailIdField } from '../config/temporal-names.ts';
import { wrongTrail } from './failure.ts';

/** @returns the id of the trail to which a workflow or schedule belongs; undefined if an older version created it */
export function trailIdIn(memo: Record<string, unknown> | undefined): string | undefined {
  const trailId = memo?.[trailIdField];
  return typeof trailId === 'string' ? trailId : undefined;
}

/**
 * @param owner names what has the id, for the message
 * @param other its id; undefined if an older version created it
 * @throws TemporalFailure `wrong_trail`
 */
export function expectTrailId(owner: string, other: string | undefined, trailId: string): void {
  if (other !== undefined && other !== trailId) throw wrongTrail(owner, other, trailId);
}
