import type pg from 'pg';
import type { Database, Query } from './database/database.ts';
import { explainedEdges, streamedOnlyCount } from './edges/explained-edges.ts';
import { HashList, unpackHashes } from './merge/hashes.ts';
import { beginLongStatement } from './database/session.ts';

/** A rule that rows of the database violate. */
export interface Difference {
  rule: string;
  /** Number of rows that violate it. */
  rows: number;
  /** The first few. */
  examples: string[];
}

const examplesShown = 5;

/** Each query returns one text per row that violates the rule. */
const rules: readonly { rule: string; sql: string }[] = [
  {
    rule: 'the count of each edge is at least the sum of its facts, adopted count and removed facts',
    sql: `select src_ns || ' -> ' || dst_ns || ' ' || action || ': ' || flow_count || ', explained ' || workload_count
      from explained where flow_count < workload_count`,
  },
  {
    rule: 'records counted in edges but not in facts were only streamed',
    sql: `select 'edges count ' || surplus || ' more, and ' || streamed_only || ' records were only streamed' from (
        select coalesce(sum(greatest(0, flow_count - total_count)), 0) as surplus, ${streamedOnlyCount} as streamed_only
        from explained) s
      where surplus > streamed_only`,
  },
  {
    rule: 'each namespace pair with facts between workloads has an edge that covers their times',
    sql: `select f.src_ns || ' -> ' || f.dst_ns || ' ' || f.action from facts f
      left join edge e using (src_ns, dst_ns, action)
      where f.workload_count is not null
        and (e.src_ns is null or e.first_seen > f.first_seen or e.last_seen < f.last_seen)`,
  },
  {
    rule: 'coverage is contiguous from its start to the last decided time',
    sql: `select from_time::text || ' to ' || to_time::text from (
        select from_time, to_time, lag(to_time) over w as before, lead(from_time) over w as after
        from coverage window w as (order by from_time)) c, trail_state s
      where from_time <> coalesce(before, s.began_at) or (after is null and to_time <> s.decided_until)`,
  },
  {
    rule: 'each fact has a day',
    sql: `select 'fact ' || fact_id from flow_fact f
      where not exists (select from flow_fact_day d where d.fact_id = f.fact_id)
        and not exists (select from flow_fact_month m where m.fact_id = f.fact_id)`,
  },
  {
    rule: 'each announced edge exists',
    sql: `select src_ns || ' -> ' || dst_ns || ' ' || action from announced_edge a
      where not exists (select from edge e
        where e.src_ns = a.src_ns and e.dst_ns = a.dst_ns and e.action = a.action)`,
  },
  {
    rule: 'each edge of a posted message is announced',
    sql: `select m.digest_id || ' part ' || m.part || ': ' || edge::text
      from digest_message m cross join jsonb_array_elements(m.edges) as i(edge)
      where m.posted_at is not null and not exists (select from announced_edge a
        where a.src_ns = edge ->> 0 and a.dst_ns = edge ->> 1 and a.action = edge ->> 2)`,
  },
];

/**
 * Compares the tables with each other in one snapshot, without a time limit and without writing, so a read-only role is sufficient.
 * @returns the violated rules; empty if the tables are consistent
 * @throws DatabaseFailure
 */
export function verify(database: Database): Promise<Difference[]> {
  return database.withClient(async (client, session) => {
    await client.query(beginLongStatement(session, { mode: 'isolation level repeatable read read only' }));
    const differences: Difference[] = [];
    for (const { rule, sql } of rules) {
      const { rows } = await client.query<{ row: string; rows: number }>(
        `with ${explainedEdges}, broken(row) as (${sql})
         select row, count(*) over ()::float8 as rows from broken order by row limit ${examplesShown}`,
      );
      const [first] = rows;
      if (first) differences.push({ rule, rows: first.rows, examples: rows.map(({ row }) => row) });
    }
    const inBoth = await bucketsCountingTwice(client);
    if (inBoth.length > 0)
      differences.push({
        rule: 'no record is both streamed and settled in the ledger',
        rows: inBoth.length,
        examples: inBoth.slice(0, examplesShown),
      });
    return differences;
  });
}

/** Reads one bucket at a time: a bucket can have hundreds of thousands of hashes. */
async function bucketsCountingTwice(client: pg.Client): Promise<string[]> {
  const { rows: buckets } = await client.query<{ bucket: string }>(
    `select bucket::text from bucket_ledger where streamed <> '' and settled <> '' order by 1`,
  );
  const found: string[] = [];
  for (const { bucket } of buckets) {
    const { rows } = await client.query<{ streamed: Buffer; settled: Buffer }>(
      'select streamed, settled from bucket_ledger where bucket = $1::timestamptz',
      [bucket],
    );
    for (const { streamed, settled } of rows) {
      const counted = unpackHashes(settled);
      const list = HashList.from(unpackHashes(streamed));
      let twice = 0;
      for (let index = 0; index < list.numbers.length; index += 1) if (counted.has(list, index)) twice += 1;
      if (twice > 0) found.push(`${bucket}: ${twice} records`);
    }
  }
  return found;
}

/** When housekeeping last verified the trail; undefined if never. @throws DatabaseFailure */
export async function readLastVerification(query: Query): Promise<Date | undefined> {
  const [row] = await query<{ at: Date | null }>('select max(verified_at) as at from verification');
  return row?.at ?? undefined;
}

/** @throws DatabaseFailure */
export async function recordVerification(
  query: Query,
  differences: readonly Difference[],
  nowSeconds: number,
): Promise<void> {
  await query(
    'insert into verification (verified_at, differences) values (to_timestamp($1), $2) on conflict do nothing',
    [nowSeconds, JSON.stringify(differences)],
  );
}
