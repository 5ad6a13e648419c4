import type { PolicyTrace } from '../goldmane/decode.ts';
import type { RecordHasher } from './record-hash.ts';
import {
  EdgeMap,
  factGroupText,
  type BucketBatch,
  type EdgeKey,
  type FactKey,
  type RecordKey,
} from './record.ts';

export const bucketSeconds = 15;

/** The ledger's record of one bucket; the two sets are disjoint. */
export interface LedgerRow {
  startSeconds: number;
  /** How the hashes of this row are computed. */
  hasher: RecordHasher;
  /** Counted in edges only. */
  streamed: Set<bigint>;
  /** Counted in facts, and in edges where the record is one. */
  settled: Set<bigint>;
}

export interface EdgeDelta {
  edge: EdgeKey;
  count: number;
  firstSeconds: number;
  lastSeconds: number;
}

/** The change of one fact on one day (UTC) under one policy trace. */
export interface FactDelta {
  fact: FactKey;
  /** Whole days since the Unix epoch. */
  day: number;
  trace: PolicyTrace | undefined;
  count: number;
  firstSeconds: number;
  lastSeconds: number;
  /** Bit n: hour n of the day. */
  hours: number;
}

export interface MergePlan {
  edges: EdgeDelta[];
  facts: FactDelta[];
  ledger: { startSeconds: number; streamed?: Set<bigint>; settled?: Set<bigint> }[];
  /** Records counted in edges for the first time, and how many of them the stream had not delivered. */
  newEdgeRecords: number;
  foundBySettling: number;
  /** Records counted in facts for the first time. */
  newFactRecords: number;
  /** By bucket, how many records were left out because another one of the bucket has the same hash. */
  collided: Map<number, number>;
}

/**
 * Decides what a merge changes: a set union per bucket, so merging twice, in any order or from two readers gives the same rows
 * (invariant 1). Pure, except that it updates the rows of `ledger` in place.
 * Records of one bucket with different contents and the same hash are all left out, and counted in `collided`: the ledger cannot
 * say which of them was counted before.
 * Buckets that ended at or before `adoptedUntilSeconds` merge times, not counts (invariant 8).
 */
export function planMerge(
  ledger: ReadonlyMap<number, LedgerRow>,
  batches: readonly BucketBatch[],
  adoptedUntilSeconds: number,
): MergePlan {
  const edges = new EdgeMap<EdgeDelta>();
  const facts = new Map<string, FactDelta>();
  const traceNumbers = new Map<string, number>();
  const changed = new Map<number, { streamed: boolean; settled: boolean }>();
  const plan: MergePlan = {
    edges: [],
    facts: [],
    ledger: [],
    newEdgeRecords: 0,
    foundBySettling: 0,
    newFactRecords: 0,
    collided: new Map(),
  };
  const collisions = findCollisions(ledger, batches);
  for (const batch of batches) {
    const row = ledger.get(batch.startSeconds);
    if (!row) continue;
    const weight = batch.startSeconds + bucketSeconds <= adoptedUntilSeconds ? 0 : 1;
    const change = changed.get(batch.startSeconds) ?? { streamed: false, settled: false };
    changed.set(batch.startSeconds, change);
    const collidedHashes = collisions.get(batch.startSeconds);
    if (collidedHashes) plan.collided.set(batch.startSeconds, countRecords(collidedHashes));
    for (const { key, edge, fact, trace } of batch.records) {
      const hash = row.hasher.hashOf(key);
      if (collidedHashes?.has(hash)) continue;
      const inFacts = row.settled.has(hash);
      const inEdges = inFacts || row.streamed.has(hash);
      if (edge && !inEdges) {
        addEdge(edges, edge, batch.startSeconds, weight);
        plan.newEdgeRecords += 1;
        if (fact) plan.foundBySettling += 1;
      }
      if (fact) {
        addFact(facts, fact, trace, numberOf(traceNumbers, trace), batch.startSeconds, inFacts ? 0 : weight);
        if (inFacts) continue;
        plan.newFactRecords += 1;
        row.settled.add(hash);
        change.settled = true;
        if (row.streamed.delete(hash)) change.streamed = true;
      } else if (!inEdges) {
        row.streamed.add(hash);
        change.streamed = true;
      }
    }
  }
  plan.edges = edges.values();
  plan.facts = [...facts.values()];
  for (const [startSeconds, change] of changed) {
    const row = ledger.get(startSeconds);
    if (!row || !(change.streamed || change.settled)) continue;
    plan.ledger.push({
      startSeconds,
      ...(change.streamed ? { streamed: row.streamed } : {}),
      ...(change.settled ? { settled: row.settled } : {}),
    });
  }
  return plan;
}

/** By bucket, the hashes that stand for different contents, with these contents. */
function findCollisions(
  ledger: ReadonlyMap<number, LedgerRow>,
  batches: readonly BucketBatch[],
): Map<number, Map<bigint, Set<string>>> {
  const keys = new Map<number, Map<bigint, RecordKey>>();
  const collisions = new Map<number, Map<bigint, Set<string>>>();
  for (const { startSeconds, records } of batches) {
    const hasher = ledger.get(startSeconds)?.hasher;
    if (!hasher) continue;
    const seen = keys.get(startSeconds) ?? new Map<bigint, RecordKey>();
    keys.set(startSeconds, seen);
    for (const { key } of records) {
      const hash = hasher.hashOf(key);
      const other = seen.get(hash);
      if (!other) seen.set(hash, key);
      else if (other !== key && other.content !== key.content) {
        const hashes = collisions.get(startSeconds) ?? new Map<bigint, Set<string>>();
        collisions.set(startSeconds, hashes);
        hashes.set(hash, (hashes.get(hash) ?? new Set([other.content])).add(key.content));
      }
    }
  }
  return collisions;
}

function countRecords(collided: ReadonlyMap<bigint, ReadonlySet<string>>): number {
  return [...collided.values()].reduce((sum, contents) => sum + contents.size, 0);
}

function addEdge(edges: EdgeMap<EdgeDelta>, edge: EdgeKey, startSeconds: number, weight: number): void {
  const delta = edges.get(edge);
  if (delta) {
    delta.count += weight;
    delta.firstSeconds = Math.min(delta.firstSeconds, startSeconds);
    delta.lastSeconds = Math.max(delta.lastSeconds, startSeconds + bucketSeconds);
  } else
    edges.set(edge, {
      edge,
      count: weight,
      firstSeconds: startSeconds,
      lastSeconds: startSeconds + bucketSeconds,
    });
}

const daySeconds = 86_400;

/** Stands for the trace's text within one plan: a digest can be constructed twice. */
function numberOf(numbers: Map<string, number>, trace: PolicyTrace | undefined): number {
  const text = trace?.text ?? '';
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = numbers.size));
  return number;
}

function addFact(
  facts: Map<string, FactDelta>,
  fact: FactKey,
  trace: PolicyTrace | undefined,
  traceNumber: number,
  startSeconds: number,
  weight: number,
): void {
  const day = Math.floor(startSeconds / daySeconds);
  const hours = 1 << Math.floor((startSeconds % daySeconds) / 3_600);
  const text = `${factGroupText(fact)}\n${fact.port}\n${day}\n${traceNumber}`;
  const delta = facts.get(text);
  if (delta) {
    delta.count += weight;
    delta.firstSeconds = Math.min(delta.firstSeconds, startSeconds);
    delta.lastSeconds = Math.max(delta.lastSeconds, startSeconds + bucketSeconds);
    delta.hours |= hours;
  } else
    facts.set(text, {
      fact,
      day,
      trace,
      count: weight,
      firstSeconds: startSeconds,
      lastSeconds: startSeconds + bucketSeconds,
      hours,
    });
}
