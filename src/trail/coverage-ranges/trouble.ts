import type { Query } from '../database/database.ts';

/** Records why Goldmane could not be read, and when that was last seen. It becomes the cause of the gap if buckets
 * leave the ring in the meantime. `undefined` clears it.
 * @throws DatabaseFailure
 */
export async function recordTrouble(
  query: Query,
  trouble: string | undefined,
  nowSeconds: number,
): Promise<void> {
  await query(
    `update trail_state set trouble = $1, trouble_at = to_timestamp($2)
     where trouble is distinct from $1 or $1 is not null`,
    [trouble ?? null, nowSeconds],
  );
}

/**
 * Records it, and when it was last seen, unless another problem is recorded: the first one explains why earlier time
 * could not be read.
 * @throws DatabaseFailure
 */
export async function recordTroubleUnlessNoted(
  query: Query,
  trouble: string,
  nowSeconds: number,
): Promise<void> {
  await query(
    `update trail_state set trouble = $1, trouble_at = to_timestamp($2) where trouble is null or trouble = $1`,
    [trouble, nowSeconds],
  );
}
