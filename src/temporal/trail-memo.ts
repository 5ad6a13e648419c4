import { trailIdField } from '../config/temporal-names.ts';

/** @returns the id of the trail to which a workflow or schedule belongs; undefined if an older version created it */
export function trailIdIn(memo: Record<string, unknown> | undefined): string | undefined {
  const trailId = memo?.[trailIdField];
  return typeof trailId === 'string' ? trailId : undefined;
}
