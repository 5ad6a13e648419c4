import type { Query } from '../database/database.ts';
import { factEndColumns, withEnds, type FactEndColumns } from './fact-end-columns.ts';
import type { FactKey } from '../record.ts';

/** A UTC day and its hours, bit n for hour n. */
export interface DayHours {
  /** Days since the epoch. */
  readonly day: number;
  readonly hours: number;
}

/** One fact of a namespace within a period, and a summary of the time before it. */
export interface FactHistory extends FactKey {
  /** Within the period, ascending by day; whole UTC hours, as stored. */
  readonly seen: readonly DayHours[];
  /** Records on the days of the period, including hours outside the period: counts are stored per day. */
  readonly flowsOnTheseDays: number;
  readonly firstEverSeconds: number;
  /** The last day before the period on which it was seen; undefined if there is none. */
  readonly lastDayBefore: number | undefined;
  /** Hours of the day (UTC) in which it was seen on days before the period, bit n for hour n. */
  readonly hoursBefore: number;
  /** Weekdays (UTC) on which it was seen before the period, bit 0 for Sunday. */
  readonly weekdaysBefore: number;
  readonly daysBefore: number;
}

interface Row extends FactEndColumns {
  protocol: string;
  port: number;
  reporter: FactKey['reporter'];
  action: FactKey['action'];
  days: number[];
  hours: number[];
  flowsOnTheseDays: number;
  firstEverSeconds: number;
  lastDayBefore: number | null;
  hoursBefore: number;
  weekdaysBefore: number;
  daysBefore: number;
}

const secondsPerHour = 3_600;

/**
 * The facts of a namespace, at either end, that were seen in the hours of the period.
 * @param fromSeconds epoch seconds; rounded down to its hour
 * @param toSeconds epoch seconds, exclusive; rounded up to its hour
 * @throws DatabaseFailure
 */
export async function readFactHistory(
  query: Query,
  namespace: string,
  fromSeconds: number,
  toSeconds: number,
): Promise<FactHistory[]> {
  const fromHour = Math.floor(fromSeconds / secondsPerHour);
  const toHour = Math.ceil(toSeconds / secondsPerHour);
  const fromDay = Math.floor(fromHour / 24);
  const lastDay = Math.floor((toHour - 1) / 24);
  const rows = await query<Row>(
    `with own as (
       select g.*, f.fact_id, f.port from flow_group g join flow_fact f using (group_id)
       where g.src_ns = $1 or g.dst_ns = $1
     ), days as (
       select d.fact_id, d.day - date 'epoch' as day, bit_or(d.hours) as hours,
         min(d.first_seen) as first_seen, sum(d.flow_count) as flow_count
       from flow_fact_days d join own using (fact_id)
       where d.day <= date 'epoch' + $3::int and d.fact_id = any (array(select fact_id from own))
       group by 1, 2
     ), masked as (
       select fact_id, day, hours, first_seen, flow_count,
         hours & (case when day = $2 then (-1 << $4::int) else -1 end)
               & (case when day = $3 then ~(-1 << $5::int) else -1 end) & 16777215 as in_period
       from days
     )
     select ${factEndColumns},
       protocol, port, reporter, action,
       array_agg(day::float8 order by day) filter (where day >= $2 and in_period <> 0) as days,
       array_agg(in_period::float8 order by day) filter (where day >= $2 and in_period <> 0) as hours,
       (sum(flow_count) filter (where day >= $2 and in_period <> 0))::float8 as "flowsOnTheseDays",
       extract(epoch from min(first_seen))::float8 as "firstEverSeconds",
       (max(day) filter (where day < $2))::float8 as "lastDayBefore",
       coalesce(bit_or(hours) filter (where day < $2), 0)::float8 as "hoursBefore",
       coalesce(bit_or(1 << ((day + 4) % 7)) filter (where day < $2), 0)::float8 as "weekdaysBefore",
       (count(*) filter (where day < $2))::float8 as "daysBefore"
     from own join masked using (fact_id)
     group by fact_id, src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, port, reporter, action
     having bool_or(day >= $2 and in_period <> 0)`,
    [namespace, fromDay, lastDay, fromHour - fromDay * 24, toHour - lastDay * 24],
  );
  return rows.map((row) => {
    const { days, hours, lastDayBefore, ...rest } = withEnds(row);
    return {
      ...rest,
      seen: days.map((day, index) => ({ day, hours: hours[index] ?? 0 })),
      lastDayBefore: lastDayBefore ?? undefined,
    };
  });
}
