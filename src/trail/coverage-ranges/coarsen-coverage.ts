import type { Database } from '../database/database.ts';

/**
 * Joins old neighbouring stretches that are final or settled: the result is final if all of them were, settled otherwise.
 * Streamed time and gaps stay as they are, so the only sums that change are those of final and of settled time.
 * @returns the number of rows saved
 * @throws DatabaseFailure
 */
export function coarsenCoverage(database: Database, beforeSeconds: number): Promise<number> {
  return database.transaction(async (query) => {
    // decideCoverage extends the newest stretch under the same lock.
    await query('select from trail_state for update');
    const gone = await query(
      `with old as (
         select from_time, to_time, state, state in ('final', 'settled') as is_settled from coverage
         where to_time <= to_timestamp($1)
       ), begins as (
         select *, not is_settled or not coalesce(lag(is_settled) over w and lag(to_time) over w = from_time, false)
           as begins_run
         from old window w as (order by from_time)
       ), numbered as (
         select *, sum(begins_run::int) over (order by from_time) as run from begins
       ), runs as (
         select min(from_time) as from_time, max(to_time) as to_time,
           case when bool_and(state = 'final') then 'final' else 'settled' end as state
         from numbered
         group by run having count(*) > 1
       ), gone as (
         delete from coverage c using runs r
         where c.from_time > r.from_time and c.to_time <= r.to_time returning 1
       ), kept as (
         update coverage c set to_time = r.to_time, state = r.state
         from runs r where c.from_time = r.from_time
       )
       select from gone`,
      [beforeSeconds],
    );
    return gone.length;
  });
}
