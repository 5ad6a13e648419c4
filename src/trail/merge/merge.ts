import { missingRow } from '../database/database-failure.ts';
import type { Database, Query } from '../database/database.ts';
import { unpackHashes, type HashSet } from './hashes.ts';
import { saltedHasher, unsaltedHasher } from './record-hash.ts';
import { planMerge, type LedgerRow, type MergePlan } from './merge-plan.ts';
import type { BucketBatch } from '../record.ts';
import type { EdgeKey } from '../edge-key.ts';
import { mergeEdges } from './merge-edges.ts';
import { readKnownPorts } from './fact-groups.ts';
import { limitFacts } from './limit-bucket-facts.ts';
import { recordIdentityOverflow } from './identity-overflow.ts';
import { ListedRecords } from '../fold/listed-records.ts';
import { mergeFacts } from './merge-facts.ts';

export interface MergeSummary {
  /** Buckets that were merged, and those rejected because their hashes have expired. */
  buckets: number;
  refusedBuckets: number;
  newEdges: EdgeKey[];
  edgeRows: number;
  factRows: number;
  newFacts: number;
  newEdgeRecords: number;
  foundBySettling: number;
  newFactRecords: number;
  /**
   * Records that were not counted because another record of their bucket has the same hash. A listed bucket with such records is
   * incomplete.
   */
  collidedRecords: number;
  /** Facts of listed buckets stored without their service identity, port or policy trace, because there were too many. */
  coarseFacts: number;
  /** Facts stored without an identity, because its namespace has more than the limit, and these namespaces. */
  limitedFacts: number;
  limitedNamespaces: string[];
  /** Namespaces of listed buckets with identities that were not stored, because a bucket had too many groups of facts. */
  coarseNamespaces: string[];
}

/**
 * Merges records of some buckets in one transaction, each record once (invariant 1): ledger rows, edges, facts with
 * their days and traces, and the marks from which coverage is computed. The number of statements does not depend on the
 * traffic. Rows are locked in one order everywhere: ledger by bucket, edges by key, groups and facts by key. Merging
 * the same records again changes nothing, even after a commit whose reply was lost.
 * @throws DatabaseFailure
 */
export function merge(
  database: Database,
  batches: readonly BucketBatch[],
  {
    portCap,
    nowSeconds,
    identityCap = Number.POSITIVE_INFINITY,
    maxFacts = Number.POSITIVE_INFINITY,
  }: { portCap: number; nowSeconds: number; identityCap?: number; maxFacts?: number },
): Promise<MergeSummary> {
  return database.transaction(async (query) => {
    const { ledger, adoptedUntilSeconds } = await lockLedger(query, batches);
    const coarseFacts = await limitFacts(batches, { portCap, maxFacts }, (groups) =>
      readKnownPorts(query, groups),
    );
    const plan = planMerge(ledger, batches, adoptedUntilSeconds);
    const newEdges = await mergeEdges(query, plan.edges);
    const facts = await mergeFacts(query, plan.facts, { portCap, identityCap });
    const coarseNamespaces = plan.newFactRecords === 0 ? [] : coarseNamespacesOf(batches);
    await recordIdentityOverflow(query, new Set([...coarseNamespaces, ...facts.limitedNamespaces]), {
      firstSeconds: Math.min(...ledger.keys()),
      nowSeconds,
    });
    await writeLedger(query, plan, batches, ledger, nowSeconds);
    const buckets = new Set(batches.map(({ startSeconds }) => startSeconds));
    return {
      buckets: ledger.size,
      refusedBuckets: buckets.size - ledger.size,
      newEdges,
      edgeRows: plan.edges.length,
      factRows: plan.facts.length,
      ...facts,
      newEdgeRecords: plan.newEdgeRecords,
      foundBySettling: plan.foundBySettling,
      newFactRecords: plan.newFactRecords,
      collidedRecords: [...plan.collided.values()].reduce((sum, count) => sum + count, 0),
      coarseFacts,
      coarseNamespaces,
    };
  });
}

function coarseNamespacesOf(batches: readonly BucketBatch[]): string[] {
  const namespaces = batches.flatMap(({ records }) =>
    records instanceof ListedRecords ? [...records.coarseNamespaces] : [],
  );
  return [...new Set(namespaces)].toSorted();
}

async function lockLedger(
  query: Query,
  batches: readonly BucketBatch[],
): Promise<{ ledger: Map<number, LedgerRow>; adoptedUntilSeconds: number }> {
  const starts = [...new Set(batches.map(({ startSeconds }) => startSeconds))].sort((a, b) => a - b);
  await query(
    `insert into bucket_ledger (bucket, salted)
     select to_timestamp(s), true from unnest($1::bigint[]) s order by s on conflict do nothing`,
    [starts],
  );
  const rows = await query<{ start_seconds: number; salted: boolean; streamed: Buffer; settled: Buffer }>(
    `select extract(epoch from bucket)::float8 as start_seconds, salted, streamed, settled from bucket_ledger
     where bucket = any (select to_timestamp(s) from unnest($1::bigint[]) s) order by bucket for update`,
    [starts],
  );
  // Read after the rows are locked: an earlier expiry is seen here, a later one waits for this transaction.
  const [state] = await query<{
    adopted_until: number | null;
    expired_before: number | null;
    salt: Buffer | null;
  }>(
    `select extract(epoch from adopted_until)::float8 as adopted_until, (select salt from record_salt) as salt,
       case when isfinite(expired_before) then extract(epoch from expired_before)::float8 end as expired_before
     from trail_state`,
  );
  if (!state) throw missingRow('trail_state');
  const expiredBefore = state.expired_before ?? Number.NEGATIVE_INFINITY;
  const hasher = saltedHasher(state.salt);
  const ledger = new Map<number, LedgerRow>();
  for (const row of rows)
    if (row.start_seconds >= expiredBefore)
      ledger.set(row.start_seconds, {
        startSeconds: row.start_seconds,
        hasher: row.salted ? hasher : unsaltedHasher,
        streamed: unpackHashes(row.streamed),
        settled: unpackHashes(row.settled),
      });
  if (ledger.size < rows.length)
    await query(
      `delete from bucket_ledger where bucket < to_timestamp($1) and streamed = '' and settled = ''
       and bucket = any (select to_timestamp(s) from unnest($2::bigint[]) s)`,
      [expiredBefore, starts],
    );
  return { ledger, adoptedUntilSeconds: state.adopted_until ?? Number.NEGATIVE_INFINITY };
}

async function writeLedger(
  query: Query,
  plan: MergePlan,
  batches: readonly BucketBatch[],
  ledger: ReadonlyMap<number, LedgerRow>,
  nowSeconds: number,
): Promise<void> {
  const changes = new Map(plan.ledger.map((change) => [change.startSeconds, change]));
  const marks = new Map<
    number,
    {
      streamedWhole: boolean;
      settled: boolean;
      final: boolean;
      gapCause: string | null;
      refused: number | null;
    }
  >();
  for (const batch of batches) {
    if (!ledger.has(batch.startSeconds)) continue;
    const mark = marks.get(batch.startSeconds) ?? {
      streamedWhole: false,
      settled: false,
      final: false,
      gapCause: null,
      refused: null,
    };
    const collided = plan.collided.get(batch.startSeconds) ?? 0;
    mark.streamedWhole ||= (batch.streamedWhole ?? false) && collided === 0;
    mark.settled ||= batch.settled !== undefined;
    mark.final ||= batch.settled === 'final';
    if (batch.settled !== undefined) mark.refused = (batch.refusedRecords ?? 0) + collided;
    mark.gapCause ??= batch.gapCause ?? null;
    marks.set(batch.startSeconds, mark);
  }
  const starts = [...marks.keys()].sort((a, b) => a - b);
  const column = <Value>(value: (startSeconds: number) => Value): Value[] => starts.map(value);
  const hashes = new Pieces();
  const streamed = column((start) => hashes.add(changes.get(start)?.streamed));
  const settled = column((start) => hashes.add(changes.get(start)?.settled));
  await query(
    `update bucket_ledger l set
       streamed = coalesce(i.streamed, l.streamed),
       settled = coalesce(i.settled, l.settled),
       streamed_whole = l.streamed_whole or i.streamed_whole,
       settled_at = coalesce(l.settled_at, case when i.is_settled then to_timestamp($11) end),
       final_at = coalesce(l.final_at, case when i.is_final then to_timestamp($11) end),
       gap_cause = coalesce(l.gap_cause, i.gap_cause),
       refused_records = coalesce(i.refused, l.refused_records),
       merged_at = case when i.streamed is null and i.settled is null then l.merged_at else to_timestamp($11) end
     from (
       select start_seconds, streamed_whole, is_settled, is_final, gap_cause, refused,
         substring($10::bytea from streamed_from for streamed_bytes) as streamed,
         substring($10::bytea from settled_from for settled_bytes) as settled
       from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::bool[], $7::bool[], $8::bool[], $9::text[],
         $12::int[])
         as u(start_seconds, streamed_from, streamed_bytes, settled_from, settled_bytes,
           streamed_whole, is_settled, is_final, gap_cause, refused)
     ) i
     where l.bucket = to_timestamp(i.start_seconds)
       and (i.streamed is not null or i.settled is not null
         or (i.streamed_whole and not l.streamed_whole)
         or (i.is_settled and l.settled_at is null) or (i.is_final and l.final_at is null)
         or (i.gap_cause is not null and l.gap_cause is null)
         or i.refused <> l.refused_records)`,
    [
      starts,
      streamed.map(({ from }) => from),
      streamed.map(({ bytes }) => bytes),
      settled.map(({ from }) => from),
      settled.map(({ bytes }) => bytes),
      column((start) => marks.get(start)?.streamedWhole ?? false),
      column((start) => marks.get(start)?.settled ?? false),
      column((start) => marks.get(start)?.final ?? false),
      column((start) => marks.get(start)?.gapCause ?? null),
      hashes.joined(),
      nowSeconds,
      column((start) => marks.get(start)?.refused ?? null),
    ],
  );
}

/**
 * All sets of hashes in one bytea, with the position of each: an array of bytea would be sent as text of twice the
 * length.
 */
class Pieces {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  /** @returns its position, from 1; nulls if there is no set */
  add(hashes: HashSet | undefined): { from: number | null; bytes: number | null } {
    if (!hashes) return { from: null, bytes: null };
    const piece = hashes.pack();
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    return { from: this.#bytes - piece.length + 1, bytes: piece.length };
  }

  joined(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
