import type { Query } from '../database/database.ts';
import type { FlowFilter } from '../flow-filter.ts';
import { factEndColumns, withEnds, type FactEndColumns } from './fact-end-columns.ts';
import type { FactKey } from '../record.ts';

interface FactFilter extends FlowFilter {
  /** Service identity, or the name of a network set, of either end. */
  identity?: string;
  /** -1 for "many". */
  port?: number;
  protocol?: string;
  reporter?: string;
  /** True: only facts with an end that is not a workload. False: only facts that count in an edge. */
  external: boolean;
}

export interface FactRow extends FactKey {
  firstSeen: Date;
  lastSeen: Date;
  /** Distinct records; a string, because it may exceed 2^53. */
  flowCount: string;
  days: number;
}

type Row = Omit<FactRow, 'src' | 'dst'> & FactEndColumns;

/** Flow facts, newest first-seen time first; at most `limit`. @throws DatabaseFailure */
export async function queryFacts(query: Query, filter: FactFilter): Promise<FactRow[]> {
  const isOfNamespace = filter.ns !== undefined || filter.src !== undefined || filter.dst !== undefined;
  // With an array, Postgres uses each table's index before it expands months to days; with a condition on the names it
  // does not.
  const ofNamespace = `and fact_id = any (array(
      select f.fact_id from flow_fact f join flow_group g using (group_id)
      where ($1::text is null or g.src_ns = $1 or g.dst_ns = $1)
        and ($2::text is null or g.src_ns = $2) and ($3::text is null or g.dst_ns = $3)))`;
  const rows = await query<Row>(
    `select ${factEndColumns}, protocol, port, reporter, action,
       first_seen as "firstSeen", last_seen as "lastSeen", flow_count::text as "flowCount", days::int as days
     from flow_facts
     where ($1::text is null or src_ns = $1 or dst_ns = $1)
       and ($2::text is null or src_ns = $2) and ($3::text is null or dst_ns = $3) ${isOfNamespace ? ofNamespace : ''}
       and ($4::timestamptz is null or first_seen >= $4)
       and ($5::text is null or action = $5)
       and ($12::timestamptz is null or last_seen >= $12) and ($13::timestamptz is null or last_seen < $13)
       and ($6::text is null or src_identity = $6 or dst_identity = $6)
       and ($7::int is null or port = $7) and ($8::text is null or protocol = $8)
       and ($9::text is null or reporter = $9)
       and case when $10 then src_kind <> 'workload' or dst_kind <> 'workload'
         else src_kind = 'workload' and dst_kind = 'workload' and src_ns <> dst_ns and src_ns <> '' and dst_ns <> '' end
     order by first_seen desc, src_ns, dst_ns, fact_id
     limit $11`,
    [
      filter.ns ?? null,
      filter.src ?? null,
      filter.dst ?? null,
      filter.newSince ?? null,
      filter.action ?? null,
      filter.identity ?? null,
      filter.port ?? null,
      filter.protocol ?? null,
      filter.reporter ?? null,
      filter.external,
      filter.limit,
      filter.seenSince ?? null,
      filter.silentSince ?? null,
    ],
  );
  return rows.map(withEnds);
}
