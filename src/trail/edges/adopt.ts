import type pg from 'pg';
import { bucketSeconds } from '../../time/bucket.ts';
import { missingRow } from '../database/database-failure.ts';
import type { Database } from '../database/database.ts';
import { explainedEdges, streamedOnlyCount } from './explained-edges.ts';
import { beginLongStatement } from '../database/session.ts';

/** An edge whose count differs from the trail's count. */
interface CountedElsewhere {
  srcNs: string;
  dstNs: string;
  action: string;
  /** Records, as text: a bigint. */
  flowCount: string;
}

export interface Adoption {
  /** Buckets that end at or before this add no counts from then on. Undefined if nothing is adopted. */
  until: Date | undefined;
  /** The previous value. Undefined if nothing was ever adopted. */
  formerUntil: Date | undefined;
  /** Records counted by another program or only streamed, highest counts first. */
  edges: CountedElsewhere[];
  /** Maximum number of these records that were only streamed; text, a bigint. */
  streamedOnly: string;
  /**
   * Edges with a lower count than the trail recorded, with the difference: another program changed them. They are not
   * modified.
   */
  lowered: CountedElsewhere[];
}

/** Adopts counts that another program, such as goldmane-edge-aggregator, added to `edge` since the trail was
 * created: stores them as adopted, and moves the time up to which buckets add no counts to the newest `last_seen`
 * (invariant 8). No row of `edge` changes. Merges wait during the adoption. If the ledger explains all counts and
 * times, nothing is adopted.
 * Records that were only streamed cannot be distinguished from counts of another program. They are adopted too;
 * their buckets are before the new time, so settling adds nothing to them.
 * @param nowSeconds edges with later times are wrong and are ignored
 * @throws DatabaseFailure
 */
export function adopt(
  database: Database,
  { nowSeconds, isDryRun }: { nowSeconds: number; isDryRun: boolean },
): Promise<Adoption> {
  return database.withClient(async (client, session) => {
    await client.query(
      beginLongStatement(session, isDryRun ? { mode: 'isolation level repeatable read read only' } : {}),
    );
    // Same lock order as the ledger's expiry and merges.
    if (!isDryRun)
      await client.query(`select from trail_state for update;
        lock table bucket_ledger in share row exclusive mode; lock table edge in share row exclusive mode`);
    const found = await readCountedElsewhere(client, nowSeconds);
    const { until } = found;
    if (!isDryRun && until) await takeOver(client, found, until);
    await client.query('commit');
    return found;
  });
}

/**
 * The same at the start of a worker or a reader, but only if an edge was seen later than any bucket that the trail merged: another
 * program then counted while nothing was read. If its time were counted again, that would be noticed too late.
 * @param aheadSeconds how much later
 * @returns undefined if no other program counted
 * @throws DatabaseFailure
 */
export async function adoptIfCountedElsewhere(
  database: Database,
  nowSeconds: number,
  aheadSeconds = 0,
): Promise<Adoption | undefined> {
  const [row] = await database.query<{ elsewhere: boolean }>(
    `select coalesce(max(e.last_seen) > ${knownUntil} + make_interval(secs => $2), false) as elsewhere from edge e
     where e.last_seen <= to_timestamp($1)`,
    [nowSeconds, aheadSeconds],
  );
  return row?.elsewhere === true ? adopt(database, { nowSeconds, isDryRun: false }) : undefined;
}

/** The latest time of an edge written by the trail. The ledger keeps the newest bucket. */
const knownUntil = `greatest(
  (select adopted_until from trail_state),
  (select max(bucket) + interval '${bucketSeconds} s' from bucket_ledger), '-infinity')`;

async function readCountedElsewhere(client: pg.Client, nowSeconds: number): Promise<Adoption> {
  const { rows: differing } = await client.query<CountedElsewhere & { lowered: boolean }>(
    `with ${explainedEdges}
     select src_ns as "srcNs", dst_ns as "dstNs", action, flow_count < workload_count as lowered,
       (case when flow_count < workload_count then workload_count - flow_count else flow_count - total_count end)::text
         as "flowCount"
     from explained where flow_count < workload_count or flow_count > total_count
     order by abs(flow_count - total_count) desc, src_ns, dst_ns, action`,
  );
  const { rows: states } = await client.query<{
    former: Date | null;
    until: Date;
    is_newer: boolean;
    streamed_only: string;
  }>(
    // Up to the end of the bucket, because a partly counted bucket would be counted again.
    `select s.adopted_until as former, ${streamedOnlyCount}::text as streamed_only,
       coalesce(e.newest > ${knownUntil}, false) as is_newer,
       to_timestamp(${bucketSeconds} * ceil(extract(epoch from greatest(s.adopted_until, e.newest, l.newest)) / ${bucketSeconds}))
         as until
     from trail_state s,
       (select max(last_seen) as newest from edge where last_seen <= to_timestamp($1)) e,
       (select max(bucket) + interval '${bucketSeconds} s' as newest from bucket_ledger where streamed <> '') l`,
    [nowSeconds],
  );
  const [state] = states;
  if (!state) throw missingRow('trail_state');
  const columns = ({ srcNs, dstNs, action, flowCount }: CountedElsewhere) => ({
    srcNs,
    dstNs,
    action,
    flowCount,
  });
  const edges = differing.filter(({ lowered }) => !lowered).map(columns);
  const surplus = edges.reduce((sum, { flowCount }) => sum + BigInt(flowCount), 0n);
  const isElsewhere = state.is_newer || surplus > BigInt(state.streamed_only);
  return {
    until: isElsewhere ? state.until : undefined,
    formerUntil: state.former ?? undefined,
    edges: isElsewhere ? edges : [],
    streamedOnly: isElsewhere ? state.streamed_only : '0',
    lowered: differing.filter(({ lowered }) => lowered).map(columns),
  };
}

async function takeOver(client: pg.Client, { formerUntil, edges }: Adoption, until: Date): Promise<void> {
  await client.query(
    `insert into edge_adopted as a (src_ns, dst_ns, action, flow_count)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
     on conflict (src_ns, dst_ns, action) do update set flow_count = a.flow_count + excluded.flow_count`,
    [
      edges.map(({ srcNs }) => srcNs),
      edges.map(({ dstNs }) => dstNs),
      edges.map(({ action }) => action),
      edges.map(({ flowCount }) => flowCount),
    ],
  );
  await client.query('update trail_state set adopted_until = $1, streamed_only = 0', [until]);
  await client.query('insert into adoption (from_time, to_time, edges, flow_count) values ($1, $2, $3, $4)', [
    formerUntil ?? null,
    until,
    edges.length,
    edges.reduce((sum, { flowCount }) => sum + BigInt(flowCount), 0n).toString(),
  ]);
}
