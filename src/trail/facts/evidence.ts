import type { Query } from '../database/database.ts';
import { groupBy } from '../../text/order.ts';
import { factEndColumns, withEnds, type FactEndColumns } from './fact-end-columns.ts';
import type { FactKey } from '../record.ts';

/** One flow fact within a period of whole UTC days: both ends, protocol and port, reporter, action, and times. */
export interface FlowEvidence extends FactKey {
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly flowCount: number;
  /** UTC days on which it was seen, as days since the epoch, ascending. */
  readonly days: readonly number[];
}

/** The same per policy trace. */
export interface TracedEvidence extends Omit<FlowEvidence, 'days'> {
  /** Number of UTC days. */
  readonly days: number;
  /** The trace as stored: `{enforced, pending}`, or `{other: true}` beyond the limit of traces per fact. */
  readonly trace: unknown;
}

/** Whole UTC days since the epoch, end excluded: facts are stored by day. */
export interface DayPeriod {
  readonly fromDay: number;
  readonly toDay: number;
}

/** Selects facts of a period; default: all. */
interface EvidenceFilter extends DayPeriod {
  /** The source or destination namespace. */
  readonly srcNs?: string;
  readonly dstNs?: string;
  /** One of these namespaces at either end. */
  readonly namespaces?: readonly string[];
}

/** Days per bitmap: a database integer has 32 bits, one of which is the sign. */
const chunkDays = 30;

interface Row extends Omit<FlowEvidence, 'src' | 'dst' | 'days'>, FactEndColumns {
  factId: string;
  /** `chunk:bitmap` of each `chunkDays` days, ascending. */
  days: string;
  trace: unknown;
}

/**
 * Days are aggregated to bitmaps before sorting and sending: a large trail has millions of days, and parallel scan
 * workers can do the aggregation.
 */
function sqlOf(isFiltered: boolean): string {
  // With an array, Postgres uses each table's index before it expands months to days; with a subquery it does not.
  const filter = `and fact_id = any (array(
        select f.fact_id from flow_fact f join flow_group g using (group_id)
        where ($3::text is null or g.src_ns = $3) and ($4::text is null or g.dst_ns = $4)
          and ($5::text[] is null or g.src_ns = any ($5) or g.dst_ns = any ($5))))`;
  return `with chunk as (
      select fact_id, trace_id, (day - date 'epoch') / ${chunkDays} as chunk, min(first_seen) as first_seen,
        max(last_seen) as last_seen, sum(flow_count) as flow_count,
        bit_or(1 << ((day - date 'epoch') % ${chunkDays})) as days
      from flow_fact_days
      where day >= date 'epoch' + $1::int and last_day >= date 'epoch' + $1::int and day < date 'epoch' + $2::int ${isFiltered ? filter : ''}
      group by fact_id, trace_id, chunk
    ), fact as (
      select fact_id, trace_id, min(first_seen) as first_seen, max(last_seen) as last_seen, sum(flow_count) as flow_count,
        string_agg(chunk || ':' || days, ',' order by chunk) as days
      from chunk group by fact_id, trace_id
    )
    select fact_id::text as "factId", ${factEndColumns},
      g.protocol, f.port, g.reporter, g.action, extract(epoch from first_seen)::float8 as "firstSeconds",
      extract(epoch from last_seen)::float8 as "lastSeconds", flow_count::float8 as "flowCount", fact.days,
      t.trace
    from fact join flow_fact f using (fact_id) join flow_group g using (group_id)
    join policy_trace t using (trace_id)`;
}

function readRows(query: Query, filter: EvidenceFilter): Promise<Row[]> {
  const { fromDay, toDay, srcNs, dstNs, namespaces } = filter;
  const ends = [srcNs ?? null, dstNs ?? null, namespaces ?? null];
  const isFiltered = ends.some((end) => end !== null);
  return query<Row>(sqlOf(isFiltered), [fromDay, toDay, ...(isFiltered ? ends : [])]);
}

/** The facts of a period by policy trace, unordered. @throws DatabaseFailure */
export async function readTracedEvidence(query: Query, filter: EvidenceFilter): Promise<TracedEvidence[]> {
  return (await readRows(query, filter)).map(toTraced);
}

/** Both, with one read of the days. @throws DatabaseFailure */
export async function readEvidenceAndTraces(
  query: Query,
  filter: EvidenceFilter,
): Promise<{ facts: FlowEvidence[]; traced: TracedEvidence[] }> {
  const rows = await readRows(query, filter);
  const ofFact = groupBy(rows, ({ factId }) => factId);
  return { facts: [...ofFact.values()].map(joinTraces), traced: rows.map(toTraced) };
}

function joinTraces(rows: readonly [Row, ...Row[]]): FlowEvidence {
  const [first] = rows;
  if (rows.length === 1) return toEvidence(first, daysIn(first.days));
  const days = new Set(rows.flatMap((row) => daysIn(row.days)));
  const joined = {
    ...first,
    firstSeconds: Math.min(...rows.map(({ firstSeconds }) => firstSeconds)),
    lastSeconds: Math.max(...rows.map(({ lastSeconds }) => lastSeconds)),
    flowCount: rows.reduce((sum, { flowCount }) => sum + flowCount, 0),
  };
  return toEvidence(
    joined,
    [...days].toSorted((a, b) => a - b),
  );
}

function toTraced(row: Row): TracedEvidence {
  return { ...toEvidence(row, daysIn(row.days).length), trace: row.trace };
}

function toEvidence<Days>(row: Row, days: Days): Omit<FlowEvidence, 'days'> & { days: Days } {
  const { factId: _factId, trace: _trace, ...rest } = withEnds(row);
  return { ...rest, days };
}

function daysIn(text: string): number[] {
  const days: number[] = [];
  for (const part of text.split(',')) {
    const [chunk = 0, bits = 0] = part.split(':').map(Number);
    for (let bit = 0; bit < chunkDays; bit += 1) if ((bits >> bit) & 1) days.push(chunk * chunkDays + bit);
  }
  return days;
}
