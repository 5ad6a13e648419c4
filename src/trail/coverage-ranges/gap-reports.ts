import type { Query } from '../database/database.ts';

/** A stretch that was not fully observed and has not been reported. */
export interface UnreportedGap {
  fromSeconds: number;
  toSeconds: number;
  cause: string;
}

/** Minimum interval between two messages; otherwise, time lost bucket by bucket would cause a message per bucket. */
const pauseSeconds = 3_600;

/**
 * Decided gaps and incomplete stretches that were not reported, oldest first. For one that grew after its report, the
 * remainder. None within an hour of the last report.
 * @throws DatabaseFailure
 */
export async function readUnreportedGaps(query: Query, nowSeconds: number): Promise<UnreportedGap[]> {
  return query<UnreportedGap>(
    `select extract(epoch from greatest(c.from_time, s.gaps_reported_until))::float8 as "fromSeconds",
       extract(epoch from c.to_time)::float8 as "toSeconds",
       case c.state when 'incomplete' then 'records were rejected: ' || c.refused_records
         else coalesce(c.cause, '') end as cause
     from coverage c, trail_state s
     where c.state in ('gap', 'incomplete') and c.to_time > s.gaps_reported_until
       and (s.gaps_reported_at is null
         or abs(extract(epoch from s.gaps_reported_at) - $1) >= $2)
     order by c.from_time`,
    [nowSeconds, pauseSeconds],
  );
}

/** Records that everything up to that time was reported. @throws DatabaseFailure */
export async function markGapsReported(
  query: Query,
  untilSeconds: number,
  nowSeconds: number,
): Promise<void> {
  await query(
    `update trail_state set gaps_reported_until = greatest(gaps_reported_until, to_timestamp($1)),
       gaps_reported_at = to_timestamp($2)`,
    [untilSeconds, nowSeconds],
  );
}
