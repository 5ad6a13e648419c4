import type { Query } from '../database/database.ts';
import type { DayPeriod } from '../facts/evidence.ts';

/** A namespace with identities that were not stored, because it had more than the limit, or a bucket had too many. */
export interface IdentityOverflow {
  namespace: string;
  firstAt: Date;
  lastAt: Date;
}

/**
 * Records that identities of these namespaces were not stored.
 * @param firstSeconds start of the oldest bucket that was merged
 * @throws DatabaseFailure
 */
export async function recordIdentityOverflow(
  query: Query,
  namespaces: ReadonlySet<string>,
  { firstSeconds, nowSeconds }: { firstSeconds: number; nowSeconds: number },
): Promise<void> {
  if (namespaces.size === 0) return;
  await query(
    `insert into identity_overflow as o (ns, first_at, last_at)
     select ns, to_timestamp($2), to_timestamp($3) from unnest($1::text[]) as i(ns) order by ns
     on conflict (ns) do update set
       first_at = least(o.first_at, excluded.first_at), last_at = greatest(o.last_at, excluded.last_at)`,
    [[...namespaces], firstSeconds, nowSeconds],
  );
}

/** The namespaces with identities that were not stored since `sinceSeconds`, the latest first. @throws DatabaseFailure */
export async function readIdentityOverflow(
  query: Query,
  { sinceSeconds, limit }: { sinceSeconds: number; limit: number },
): Promise<{ namespaces: IdentityOverflow[]; total: number }> {
  const rows = await query<{ namespace: string; first_at: Date; last_at: Date; total: number }>(
    `select ns as namespace, first_at, last_at, count(*) over ()::int as total from identity_overflow
     where last_at >= to_timestamp($1) order by last_at desc, ns limit $2`,
    [sinceSeconds, limit],
  );
  return {
    namespaces: rows.map(({ namespace, first_at, last_at }) => ({
      namespace,
      firstAt: first_at,
      lastAt: last_at,
    })),
    total: rows[0]?.total ?? 0,
  };
}

/** All namespaces with identities that were not stored in the period. @throws DatabaseFailure */
export async function readLimitedNamespaces(
  query: Query,
  { fromDay, toDay }: DayPeriod,
): Promise<Set<string>> {
  const rows = await query<{ namespace: string }>(
    `select ns as namespace from identity_overflow
     where last_at >= date 'epoch' + $1::int and first_at < date 'epoch' + $2::int`,
    [fromDay, toDay],
  );
  return new Set(rows.map(({ namespace }) => namespace));
}
