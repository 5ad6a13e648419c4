import { daySeconds } from '../../time/units.ts';
import type { PolicyTrace } from '../../goldmane/decoder/decode.ts';
import { bucketSeconds } from '../../time/bucket.ts';
import { countRecords, findCollisions } from './hash-collisions.ts';
import { HashList, type HashSet } from './hashes.ts';
import type { RecordHasher } from './record-hash.ts';
import { factGroupText, type BucketBatch, type FactKey } from '../record.ts';
import { EdgeMap, type EdgeKey } from '../edge-key.ts';

/** A ledger row of one bucket; the two sets are disjoint. */
export interface LedgerRow {
  startSeconds: number;
  /** How the hashes of this row are computed. */
  hasher: RecordHasher;
  /** Counted in edges only. */
  streamed: HashSet;
  /** Counted in facts, and in edges if the record belongs to one. */
  settled: HashSet;
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
  ledger: { startSeconds: number; streamed?: HashSet; settled?: HashSet }[];
  /** Records counted in edges for the first time, and the number of these that the stream had not delivered. */
  newEdgeRecords: number;
  foundBySettling: number;
  /** Records counted in facts for the first time. */
  newFactRecords: number;
  /** By bucket, the number of records not counted because another record of the bucket has the same hash. */
  collided: Map<number, number>;
}

/**
 * Computes the changes of a merge. Merging is a set union per bucket, so merging twice, in any order or from two
 * readers gives the same rows (invariant 1). Pure, except that it updates the rows of `ledger` in place. Records of one
 * bucket with different contents and the same hash are not merged, only counted in `collided`, because the ledger
 * cannot tell which of them was counted before. Of buckets that ended at or before `adoptedUntilSeconds`, only times
 * are merged, not counts (invariant 8).
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
  const hashes = batches.map((batch) => hashesOf(batch, ledger.get(batch.startSeconds)));
  const collisions = findCollisions(batches, hashes);
  for (const [index, batch] of batches.entries()) {
    const row = ledger.get(batch.startSeconds);
    if (!row) continue;
    const weight = batch.startSeconds + bucketSeconds <= adoptedUntilSeconds ? 0 : 1;
    const change = changed.get(batch.startSeconds) ?? { streamed: false, settled: false };
    changed.set(batch.startSeconds, change);
    const collidedHashes = collisions.get(batch.startSeconds);
    if (collidedHashes) plan.collided.set(batch.startSeconds, countRecords(collidedHashes));
    const ofRecords = hashes[index] ?? HashList.ofLength(0);
    let at = -1;
    for (const { edge, fact, trace } of batch.records) {
      at += 1;
      if (collidedHashes?.has(ofRecords.numbers[at] ?? 0n)) continue;
      const inFacts = row.settled.has(ofRecords, at);
      const inEdges = inFacts || row.streamed.has(ofRecords, at);
      if (edge && !inEdges) {
        addEdge(edges, edge, batch.startSeconds, weight);
        plan.newEdgeRecords += 1;
        if (fact) plan.foundBySettling += 1;
      }
      if (fact) {
        addFact(facts, fact, trace, numberOf(traceNumbers, trace), batch.startSeconds, inFacts ? 0 : weight);
        if (inFacts) continue;
        plan.newFactRecords += 1;
        row.settled.add(ofRecords, at);
        change.settled = true;
        if (row.streamed.delete(ofRecords, at)) change.streamed = true;
      } else if (!inEdges) {
        row.streamed.add(ofRecords, at);
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

/** The hashes of the batch's records, in their order, 8 bytes each. */
function hashesOf({ records }: BucketBatch, row: LedgerRow | undefined): HashList | undefined {
  if (!row) return undefined;
  const { hasher } = row;
  const hashes = HashList.ofLength(records.length);
  let index = 0;
  for (const { key } of records) {
    hashes.numbers[index] = records.areKeysTransient ? hasher.hash(key.content) : hasher.hashOf(key);
    index += 1;
  }
  return hashes;
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

/** Identifies the trace's text within one plan, because two texts with the same digest can be constructed. */
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
