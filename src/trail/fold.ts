import type { FlowKey, FlowRecord } from '../goldmane/decoder/decode.ts';
import { edgeKeyOf, type BucketBatch, type EdgeKey, type TrailRecord } from './record.ts';

/**
 * The result of folding a streamed record. Records with a result other than `pending` are left out and counted by this
 * name.
 */
export type Folded = 'pending' | 'repeated' | 'no_edge' | 'no_traffic' | 'future' | 'dropped';

/** Buckets further ahead of the clock are refused: a single one would expire every ledger row before it. */
export const futureLimitSeconds = 3_600;

/** A streamed record: the edge it counts for, and its key. One object per key, shared by all buckets. */
interface StreamedRecord extends TrailRecord {
  readonly key: FlowKey;
  readonly edge: EdgeKey;
}

/**
 * Collects the stream's records in memory, synchronously, until a writer takes them (invariant 3). It stores one
 * reference per distinct record, at most `limit`. Further records are dropped and their bucket is marked as not whole;
 * settling adds them later.
 */
export class StreamFold {
  #buckets = new Map<number, Set<StreamedRecord>>();
  #damaged = new Set<number>();
  #pending = 0;
  /** Records that the writer took and has not merged yet. */
  #held = 0;
  /** The record of each key in use: keys recur from bucket to bucket. */
  readonly #known = new WeakMap<FlowKey, StreamedRecord>();
  /** Records whose key arrived since the last call of `hasNewEdge`. */
  #fresh: StreamedRecord[] = [];
  readonly #limit: number;

  constructor({ limit = 200_000 }: { limit?: number } = {}) {
    this.#limit = limit;
  }

  get pending(): number {
    return this.#pending;
  }

  add({ key, startSeconds, hasTraffic }: FlowRecord, nowSeconds: number): Folded {
    if (!hasTraffic) return 'no_traffic';
    if (startSeconds > nowSeconds + futureLimitSeconds) return 'future';
    const known = this.#known.get(key);
    const record = known ?? streamedRecord(key);
    if (!record) return 'no_edge';
    let records = this.#buckets.get(startSeconds);
    if (this.#pending + this.#held >= this.#limit) {
      if (records?.has(record)) return 'repeated';
      this.damage(startSeconds);
      return 'dropped';
    }
    if (!records) this.#buckets.set(startSeconds, (records = new Set()));
    const before = records.size;
    if (records.add(record).size === before) return 'repeated';
    this.#pending += 1;
    if (!known) {
      this.#known.set(key, record);
      this.#fresh.push(record);
    }
    return 'pending';
  }

  /** Marks the bucket: a record of it was refused or dropped, so the stream does not cover it completely. */
  damage(startSeconds: number): void {
    this.#damaged.add(startSeconds);
  }

  /** Whether the bucket was marked with `damage` since the last call; clears the mark. */
  takeDamage(startSeconds: number): boolean {
    return this.#damaged.delete(startSeconds);
  }

  /** Whether a record that arrived since the last call belongs to an edge for which `known` returns false. */
  hasNewEdge(known: (edge: EdgeKey) => boolean): boolean {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh.some(({ edge }) => !known(edge));
  }

  /** Sets the number of taken records that are still to be merged; they count against the limit. */
  hold(records: number): void {
    this.#held = records;
  }

  /** Returns and removes all pending records, oldest bucket first. `restore` puts back what could not be merged. */
  take(): StreamedBucket[] {
    const taken = [...this.#buckets]
      .sort(([a], [b]) => a - b)
      .map(([startSeconds, records]) => ({ startSeconds, records }));
    this.#buckets = new Map();
    this.#pending = 0;
    return taken;
  }

  restore(buckets: readonly StreamedBucket[]): void {
    for (const { startSeconds, records } of buckets) {
      const present = this.#buckets.get(startSeconds) ?? new Set();
      for (const record of records) present.add(record);
      this.#buckets.set(startSeconds, present);
    }
    this.#pending = [...this.#buckets.values()].reduce((sum, records) => sum + records.size, 0);
  }
}

export interface StreamedBucket {
  startSeconds: number;
  records: Set<StreamedRecord>;
}

/** Streamed records as input of a merge: they count in edges, not in facts. */
export function streamBatch({ startSeconds, records }: StreamedBucket, streamedWhole: boolean): BucketBatch {
  return { startSeconds, records: [...records], ...(streamedWhole ? { streamedWhole } : {}) };
}

function streamedRecord(key: FlowKey): StreamedRecord | undefined {
  const edge = edgeKeyOf(key);
  return edge && { key, edge };
}
