import type { Query } from '../database/database.ts';
import type { FactDelta } from './merge-plan.ts';

/** The changes to a fact on one day, with the ids of its rows. */
interface DayChange {
  delta: FactDelta;
  factId: string;
  traceId: string;
}

interface DayRow {
  factId: string;
  day: number;
  traceId: string;
  count: number;
  firstSeconds: number;
  lastSeconds: number;
  hours: number;
}

/** Adds the changes to the facts' days, in one statement. @throws DatabaseFailure */
export async function mergeDays(query: Query, changes: readonly DayChange[]): Promise<void> {
  // Ports and traces beyond their caps share one row, and a statement must not update a row twice.
  const days = new Map<string, DayRow>();
  for (const { delta, factId, traceId } of changes) {
    const { day, count, firstSeconds, lastSeconds, hours } = delta;
    const key = `${factId} ${day} ${traceId}`;
    const present = days.get(key);
    if (present) {
      present.count += count;
      present.firstSeconds = Math.min(present.firstSeconds, firstSeconds);
      present.lastSeconds = Math.max(present.lastSeconds, lastSeconds);
      present.hours |= hours;
    } else days.set(key, { factId, day, traceId, count, firstSeconds, lastSeconds, hours });
  }
  const rows = [...days.values()];
  await query(
    `insert into flow_fact_day as d (fact_id, day, trace_id, first_seen, last_seen, flow_count, hours)
     select fact_id, date 'epoch' + day, trace_id, to_timestamp(first_seconds), to_timestamp(last_seconds), flow_count, hours
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[])
       as i(fact_id, day, trace_id, first_seconds, last_seconds, flow_count, hours)
     order by fact_id, day, trace_id
     on conflict (fact_id, day, trace_id) do update set
       first_seen = least(d.first_seen, excluded.first_seen),
       last_seen = greatest(d.last_seen, excluded.last_seen),
       flow_count = d.flow_count + excluded.flow_count,
       hours = d.hours | excluded.hours
     where excluded.flow_count > 0 or excluded.first_seen < d.first_seen or excluded.last_seen > d.last_seen
       or (d.hours | excluded.hours) <> d.hours`,
    [
      rows.map(({ factId }) => factId),
      rows.map(({ day }) => day),
      rows.map(({ traceId }) => traceId),
      rows.map(({ firstSeconds }) => firstSeconds),
      rows.map(({ lastSeconds }) => lastSeconds),
      rows.map(({ count }) => count),
      rows.map(({ hours }) => hours),
    ],
  );
}
