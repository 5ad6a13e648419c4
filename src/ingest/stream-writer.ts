import { memoryLimits } from '../config/memory-limits.ts';
import type { FlowRecord } from '../goldmane/decoder/decode.ts';
import type { BucketBatch } from '../trail/record.ts';
import { streamBatch, type Folded, type StreamedBucket, type StreamFold } from '../trail/fold/fold-stream.ts';
import { merge, type MergeSummary } from '../trail/merge/merge.ts';
import { isDatabaseFailure, type DatabaseFailure } from '../trail/database/database-failure.ts';
import { adoptCountedElsewhere } from './adopt-counted-elsewhere.ts';
import type { Deps } from './deps.ts';
import { KnownEdges } from './known-edges.ts';

const coalesceMs = 50_000;
const bucketsPerMerge = 16;
const whats = ['pending', 'repeated', 'no_edge', 'no_traffic', 'future', 'dropped', 'malformed'] as const;
const droppingText =
  'Too many streamed records are waiting for the database; further records are dropped, and settling reads them later';

/**
 * Merges streamed records without blocking the stream (invariant 3): a new edge at once, everything else about once a
 * minute, because known edges only change their count and newest time. While the database is unavailable, pending
 * records wait, up to their limit, and the merge is retried.
 */
export class StreamWriter {
  readonly fold: StreamFold;
  readonly #deps: Deps;
  readonly #onMerged: (summary: MergeSummary, batches: readonly BucketBatch[]) => void;
  #known: KnownEdges | undefined;
  #whole = new Set<number>();
  #pendingSinceMs: number | undefined;
  #hasNewEdge = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #isDropping = false;
  #trouble: DatabaseFailure | undefined;
  #counts = zeroCounts();

  constructor(
    deps: Deps,
    fold: StreamFold,
    onMerged: (summary: MergeSummary, batches: readonly BucketBatch[]) => void,
  ) {
    this.#deps = deps;
    this.fold = fold;
    this.#onMerged = onMerged;
  }

  /** Why the database is currently unusable. */
  get trouble(): DatabaseFailure | undefined {
    return this.#trouble;
  }

  /** The same as text, with its consequence. */
  get troubleText(): string | undefined {
    if (!this.#trouble) return undefined;
    return this.#isDropping ? `${this.#trouble.message}. ${droppingText}` : this.#trouble.message;
  }

  add(record: FlowRecord, nowSeconds: number): Folded {
    const folded = this.fold.add(record, nowSeconds);
    this.count(folded);
    if (folded === 'dropped' && !this.#isDropping) {
      this.#isDropping = true;
      this.#deps.log.warn({ pending: this.fold.pending }, droppingText);
    }
    return folded;
  }

  count(what: Folded | 'malformed'): void {
    this.#counts[what] += 1;
  }

  /** The counts since the last call. */
  takeCounts(): ReadonlyMap<Folded | 'malformed', number> {
    const counts = this.#counts;
    this.#counts = zeroCounts();
    return new Map(whats.flatMap((what) => (counts[what] > 0 ? [[what, counts[what]]] : [])));
  }

  markWhole(startSeconds: readonly number[]): void {
    for (const start of startSeconds) if (!this.fold.takeDamage(start)) this.#whole.add(start);
  }

  /** Merges when it is due; `now` merges everything pending. Never throws a DatabaseFailure: see `trouble`. */
  async flush(now = false): Promise<void> {
    const { clock } = this.#deps.config;
    const nowMs = clock.elapsed();
    if (this.fold.pending === 0 && this.#whole.size === 0) {
      this.#pendingSinceMs = undefined;
      return;
    }
    this.#pendingSinceMs ??= nowMs;
    if (!now && nowMs < this.#retryAtMs) return;
    try {
      this.#known ??= await this.#loadEdges();
      const known = this.#known;
      this.#hasNewEdge ||= this.fold.hasNewEdge((edge) => known.has(edge));
      if (!now && !this.#hasNewEdge && nowMs < this.#pendingSinceMs + coalesceMs) return;
      await this.#mergeAll(known);
      this.#hasNewEdge = false;
      this.#pendingSinceMs = undefined;
      this.#failures = 0;
      this.#isDropping = false;
      if (this.#trouble) this.#deps.log.info('The database is available again');
      this.#trouble = undefined;
    } catch (error) {
      if (!isDatabaseFailure(error)) throw error;
      this.#failures += 1;
      this.#retryAtMs = clock.elapsed() + Math.min(15_000, 1_000 * 2 ** Math.min(this.#failures, 4));
      if (this.#trouble?.kind !== error.kind)
        this.#deps.log.warn(
          { kind: error.kind, sqlState: error.sqlState, pending: this.fold.pending, reason: error.message },
          'Streamed records cannot be merged; retrying',
        );
      this.#trouble = error;
    }
  }

  async #mergeAll(known: KnownEdges): Promise<void> {
    const taken = this.fold.take();
    const whole = this.#whole;
    this.#whole = new Set();
    const starts = new Map(taken.map((bucket) => [bucket.startSeconds, bucket]));
    for (const start of whole)
      if (!starts.has(start)) starts.set(start, { startSeconds: start, records: [] });
    const waiting = [...starts.values()].sort((a, b) => a.startSeconds - b.startSeconds);
    try {
      while (waiting.length > 0) {
        this.fold.hold(countOf(waiting));
        const buckets = waiting.slice(0, fittingBuckets(waiting));
        const batches = buckets.map((bucket) => streamBatch(bucket, whole.has(bucket.startSeconds)));
        const summary = await merge(this.#deps.database, batches, {
          portCap: this.#deps.config.portCap,
          nowSeconds: this.#deps.config.clock.now() / 1000,
        });
        waiting.splice(0, buckets.length);
        for (const { records } of batches) for (const { edge } of records) if (edge) known.add(edge);
        this.#deps.metrics.merged('stream', summary);
        this.#onMerged(summary, batches);
      }
    } catch (error) {
      this.fold.restore(waiting);
      for (const { startSeconds } of waiting) if (whole.has(startSeconds)) this.#whole.add(startSeconds);
      throw error;
    } finally {
      this.fold.hold(0);
    }
  }

  /** Before the first merge of the window. */
  async #loadEdges(): Promise<KnownEdges> {
    await adoptCountedElsewhere(this.#deps);
    const known = new KnownEdges(memoryLimits.knownEdges);
    await known.load(this.#deps.database.query);
    return known;
  }
}

/** A fixed shape, because every record is counted. */
function zeroCounts(): Record<Folded | 'malformed', number> {
  return { pending: 0, repeated: 0, no_edge: 0, no_traffic: 0, future: 0, dropped: 0, malformed: 0 };
}

function countOf(buckets: readonly StreamedBucket[]): number {
  return buckets.reduce((sum, { records }) => sum + records.length, 0);
}

/** The number of buckets in the next transaction: at least one, whatever its size. */
function fittingBuckets(buckets: readonly StreamedBucket[]): number {
  let sum = 0;
  let fitting = 0;
  for (const { records } of buckets.slice(0, bucketsPerMerge)) {
    sum += records.length;
    if (fitting > 0 && sum > memoryLimits.recordsPerMerge) break;
    fitting += 1;
  }
  return fitting;
}
