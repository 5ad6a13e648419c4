import type { Query } from './database.ts';
import type { FactEnd, FactKey } from './record.ts';

/** One flow fact within a period of whole UTC days: who, how, reported by whom, with what action, and when. */
export interface FlowEvidence extends FactKey {
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly flowCount: number;
  /** The UTC days on which it was seen, as days since the epoch, ascending. */
  readonly days: readonly number[];
}

/** The same, by policy trace. */
export interface TracedEvidence extends Omit<FlowEvidence, 'days'> {
  /** How many UTC days. */
  readonly days: number;
  /** The trace as it is stored: `{enforced, pending}`, or `{other: true}` beyond the bound of traces of a fact. */
  readonly trace: unknown;
}

/** Whole UTC days since the epoch, the end excluded: what is kept of a fact cannot be cut finer. */
export interface DayPeriod {
  readonly fromDay: number;
  readonly toDay: number;
}

const factColumns = `g.src_kind as "srcKind", g.src_ns as "srcNs", g.src_identity as "srcIdentity",
  g.dst_kind as "dstKind", g.dst_ns as "dstNs", g.dst_identity as "dstIdentity",
  g.protocol, f.port, g.reporter, g.action,
  extract(epoch from min(d.first_seen))::float8 as "firstSeconds",
  extract(epoch from max(d.last_seen))::float8 as "lastSeconds", sum(d.flow_count)::float8 as "flowCount"`;
const factTables =
  'from flow_group g join flow_fact f using (group_id) join flow_fact_days d using (fact_id)';
const inPeriod = "d.day >= date 'epoch' + $1::int and d.day < date 'epoch' + $2::int";

interface FactRow extends Omit<FlowEvidence, 'src' | 'dst' | 'days'> {
  srcKind: FactEnd['kind'];
  srcNs: string;
  srcIdentity: string;
  dstKind: FactEnd['kind'];
  dstNs: string;
  dstIdentity: string;
}

function toFact({ srcKind, srcNs, srcIdentity, dstKind, dstNs, dstIdentity, ...rest }: FactRow) {
  return {
    src: { kind: srcKind, ns: srcNs, identity: srcIdentity },
    dst: { kind: dstKind, ns: dstNs, identity: dstIdentity },
    ...rest,
  };
}

/** The facts of a period that begin or end in one of the namespaces, or all; in no particular order. @throws DatabaseFailure */
export async function readEvidence(
  query: Query,
  { fromDay, toDay }: DayPeriod,
  namespaces?: readonly string[],
): Promise<FlowEvidence[]> {
  const rows = await query<FactRow & { days: number[] }>(
    `select ${factColumns}, array_agg(distinct d.day - date 'epoch' order by d.day - date 'epoch') as days
     ${factTables}
     where ${inPeriod} and ($3::text[] is null or g.src_ns = any ($3) or g.dst_ns = any ($3))
     group by g.group_id, f.fact_id`,
    [fromDay, toDay, namespaces ?? null],
  );
  return rows.map(({ days, ...row }) => ({ ...toFact(row), days }));
}

export interface TraceFilter extends DayPeriod {
  /** The namespace of the source, or of the destination; default: any. */
  readonly srcNs?: string;
  readonly dstNs?: string;
  /** One of these at either end; default: any. */
  readonly namespaces?: readonly string[];
}

/** The facts of a period by policy trace; in no particular order. @throws DatabaseFailure */
export async function readTracedEvidence(query: Query, filter: TraceFilter): Promise<TracedEvidence[]> {
  const rows = await query<FactRow & { days: number; trace: unknown }>(
    `select ${factColumns}, count(distinct d.day)::int as days, t.trace
     ${factTables} join policy_trace t using (trace_id)
     where ${inPeriod} and ($3::text is null or g.src_ns = $3) and ($4::text is null or g.dst_ns = $4)
       and ($5::text[] is null or g.src_ns = any ($5) or g.dst_ns = any ($5))
     group by g.group_id, f.fact_id, t.trace_id`,
    [filter.fromDay, filter.toDay, filter.srcNs ?? null, filter.dstNs ?? null, filter.namespaces ?? null],
  );
  return rows.map(({ days, trace, ...row }) => ({ ...toFact(row), days, trace }));
}
