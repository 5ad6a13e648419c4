import type { FlowKey, FlowRecord } from '../../goldmane/decoder/decode.ts';
import type { BucketBatch, TrailRecord } from '../record.ts';
import { edgeKeyOf, type EdgeKey } from '../edge-key.ts';

/** The result of folding a streamed record. Records with a result other than `pending` are not stored, only counted
 * under this name.
 */
export type Folded = 'pending' | 'repeated' | 'no_edge' | 'no_traffic' | 'future' | 'dropped';

/** Buckets further ahead of the clock are rejected: a single one would expire every ledger row before it. */
export const futureLimitSeconds = 3_600;

/** A streamed record: the edge it counts for, and its key. One object per key, shared by all buckets. */
interface StreamedRecord extends TrailRecord {
  readonly key: FlowKey;
  readonly edge: EdgeKey;
  /** The start of the bucket that it was added to last. */
  lastBucket: number;
}

/**
 * Collects the stream's records in memory, synchronously, until a writer takes them (invariant 3). It stores one
 * reference per record, at most `limit`. Further records are dropped and their bucket is marked as incomplete;
 * settling adds them later.
 * Goldmane sends one bucket after the other, so a repeated record is recognised by the last bucket of its key. A
 * record that is repeated after one of another bucket is stored twice, which the merge ignores.
 */
export class StreamFold {
  #buckets = new Map<number, StreamedRecord[]>();
  /** The records of the bucket that was added to last. */
  #latest: StreamedBucket | undefined;
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
    if (known?.lastBucket === startSeconds) return 'repeated';
    const record = known ?? streamedRecord(key);
    if (!record) return 'no_edge';
    if (this.#pending + this.#held >= this.#limit) {
      this.damage(startSeconds);
      return 'dropped';
    }
    this.#recordsOf(startSeconds).push(record);
    record.lastBucket = startSeconds;
    this.#pending += 1;
    if (!known) {
      this.#known.set(key, record);
      this.#fresh.push(record);
    }
    return 'pending';
  }

  /** Marks the bucket: a record of it was rejected or dropped, so the stream does not cover it completely. */
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
    this.#latest = undefined;
    this.#pending = 0;
    return taken;
  }

  restore(buckets: readonly StreamedBucket[]): void {
    for (const { startSeconds, records } of buckets) {
      this.#buckets.set(startSeconds, [...records, ...(this.#buckets.get(startSeconds) ?? [])]);
      this.#pending += records.length;
    }
    this.#latest = undefined;
  }

  #recordsOf(startSeconds: number): StreamedRecord[] {
    if (this.#latest?.startSeconds === startSeconds) return this.#latest.records;
    const records = this.#buckets.get(startSeconds) ?? [];
    this.#buckets.set(startSeconds, records);
    this.#latest = { startSeconds, records };
    return records;
  }
}

export interface StreamedBucket {
  startSeconds: number;
  records: StreamedRecord[];
}

/** Streamed records as input of a merge: they count in edges, not in facts. */
export function streamBatch({ startSeconds, records }: StreamedBucket, streamedWhole: boolean): BucketBatch {
  return { startSeconds, records, ...(streamedWhole ? { streamedWhole } : {}) };
}

function streamedRecord(key: FlowKey): StreamedRecord | undefined {
  const edge = edgeKeyOf(key);
  return edge && { key, edge, lastBucket: Number.NaN };
}
