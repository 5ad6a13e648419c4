import type { RecordContent } from './encode.ts';
import { FlowKeys, type IdentifiedFlow, type KeyIds, type KnownKey } from './flow-keys.ts';
import type { CompleteFlow } from './flow.ts';
import { LabelSets, type Labels } from './labels.ts';
import { NOTHING, type Window } from './window.ts';

/** 3.30 and 3.32 differ in how records reach streams and in the order of a trace's hits. */
export type GoldmaneVersion = '3.30' | '3.32';

export interface Bucket {
  startSeconds: number;
  endSeconds: number;
  readonly windows: Map<KnownKey, Window>;
  /** Set once the bucket was sent to the streams, or if it was too old for that when the ring was created. */
  sent: boolean;
  /** Additional bytes sent as records of this bucket. */
  readonly injected: Buffer[];
}

interface RingOptions {
  /** Start of the bucket being filled when the ring is created. */
  fillingSeconds: number;
  /** How many buckets the newest one is ahead of the one being filled. */
  ahead: number;
  buckets: number;
  bucketSeconds: number;
  version: GoldmaneVersion;
  /** Default `counted`, as on the real server. */
  keyIds?: KeyIds;
}

/** Goldmane's hour: a ring of buckets, the newest of which has not begun yet. Has no clock; see `advance`. */
export class BucketRing {
  readonly bucketSeconds: number;
  readonly #buckets: Bucket[];
  readonly #keys: FlowKeys;
  readonly #labels = new LabelSets();
  #head = 0;

  constructor(options: RingOptions) {
    this.bucketSeconds = options.bucketSeconds;
    this.#keys = new FlowKeys(options.version === '3.32' ? 'by_policy_index' : 'as_given', options.keyIds);
    const newest = options.fillingSeconds + options.ahead * options.bucketSeconds;
    this.#buckets = Array.from({ length: options.buckets }, (_, index) => {
      const startSeconds = newest - (options.buckets - 1 - index) * options.bucketSeconds;
      return {
        startSeconds,
        endSeconds: startSeconds + options.bucketSeconds,
        windows: new Map<KnownKey, Window>(),
        sent: index < options.buckets - 3,
        injected: [],
      };
    });
    this.#head = options.buckets - 1;
  }

  get keys(): number {
    return this.#keys.size;
  }

  get oldestSeconds(): number {
    return this.#at(this.#head + 1).startSeconds;
  }

  /** Start of the newest bucket, which is when the next `advance` is due. */
  get newestSeconds(): number {
    return this.#at(this.#head).startSeconds;
  }

  /** The bucket sent at the next `advance`: two before the newest. */
  get streamingBucket(): Bucket {
    return this.#at(this.#head - 2);
  }

  /** The bucket containing this second, if it is in the ring. */
  find(seconds: number): Bucket | undefined {
    const index = this.#indexOf(seconds);
    return index === undefined ? undefined : this.#at(index);
  }

  /**
   * Adds a flow's counters to its bucket; false if the ring has no such bucket. Labels are reduced to the common ones.
   */
  add({ flow, identity }: IdentifiedFlow): boolean {
    const bucket = this.find(flow.startSeconds);
    if (!bucket) return false;
    const key = this.#keys.of(flow, identity);
    const before = bucket.windows.get(key);
    if (!before) key.windows++;
    bucket.windows.set(key, this.#merged(before, flow));
    return true;
  }

  /** Drops the oldest bucket and starts a new one after the newest; drops keys that have no windows left. */
  advance(): void {
    const startSeconds = this.#at(this.#head).endSeconds;
    this.#head = (this.#head + 1) % this.#buckets.length;
    const bucket = this.#at(this.#head);
    for (const key of bucket.windows.keys()) {
      key.windows--;
      if (key.windows === 0) this.#keys.drop(key);
    }
    bucket.windows.clear();
    bucket.injected.length = 0;
    bucket.sent = false;
    bucket.startSeconds = startSeconds;
    bucket.endSeconds = startSeconds + this.bucketSeconds;
  }

  /**
   * The history for a stream: from the bucket containing `seconds` to the one to be sent next, around the ring. So a
   * start in the bucket being filled or the newest one returns nearly everything; a start in the bucket to be sent
   * next, or outside the ring, returns nothing.
   */
  history(seconds: number): Bucket[] {
    return this.#around(this.#indexOf(seconds), this.#wrapped(this.#head - 2));
  }

  /** The number of records from the bucket containing one second to the bucket containing another, around the ring. */
  countRecords(fromSeconds: number, toSeconds: number): number {
    const buckets = this.#around(this.#indexOf(fromSeconds), this.#indexOf(toSeconds));
    return buckets.reduce((sum, { windows }) => sum + windows.size, 0);
  }

  /** Each bucket that begins in [gte, lt), oldest first. */
  bucketsIn(gte: number, lt: number): Bucket[] {
    const found: Bucket[] = [];
    for (let step = 1; step <= this.#buckets.length; step++) {
      const bucket = this.#at(this.#head + step);
      if (bucket.startSeconds >= gte && bucket.startSeconds < lt) found.push(bucket);
    }
    return found;
  }

  /** The record of one key in one bucket, with its current counters. */
  record(key: KnownKey, window: Window, bucket: Bucket): RecordContent {
    return {
      id: key.id,
      encodedKey: key.encodedKey,
      startSeconds: bucket.startSeconds,
      endSeconds: bucket.endSeconds,
      window,
    };
  }

  /**
   * The records of keys with a window beginning in [gte, lt), each once, counting only windows that also end by `lt`. A
   * record whose only window crosses an unaligned bound is empty, without even a time.
   */
  list(gte: number, lt: number): RecordContent[] {
    const buckets = this.bucketsIn(gte, lt);
    const found = new Map<KnownKey, RecordContent>();
    for (const bucket of buckets) {
      const whole = bucket.endSeconds <= lt;
      for (const [key, window] of bucket.windows) {
        const before = found.get(key);
        if (!whole) {
          if (!before) found.set(key, this.#nothing(key));
        } else if (!before || before.startSeconds === 0) {
          found.set(key, this.record(key, window, bucket));
        } else {
          found.set(key, this.#joined(before, window, bucket));
        }
      }
    }
    return [...found.values()];
  }

  #merged(before: Window | undefined, flow: CompleteFlow): Window {
    const sourceLabels = this.#labels.of(flow.sourceLabels);
    const destLabels = this.#labels.of(flow.destLabels);
    if (!before) return NOTHING.plus(flow, sourceLabels, destLabels);
    return before.plus(
      flow,
      this.#labels.intersection(before.sourceLabels, sourceLabels),
      this.#labels.intersection(before.destLabels, destLabels),
    );
  }

  #nothing({ id, encodedKey }: KnownKey): RecordContent {
    return { id, encodedKey, startSeconds: 0, endSeconds: 0, window: NOTHING };
  }

  /**
   * Over several buckets, labels are reduced to the common ones, except that an empty set counts as not yet started.
   */
  #joined(before: RecordContent, window: Window, bucket: Bucket): RecordContent {
    const share = (a: Labels, b: Labels): Labels => (a.length === 0 ? b : this.#labels.intersection(a, b));
    return {
      id: before.id,
      encodedKey: before.encodedKey,
      startSeconds: before.startSeconds,
      endSeconds: bucket.endSeconds,
      window: before.window.plus(
        window,
        share(before.window.sourceLabels, window.sourceLabels),
        share(before.window.destLabels, window.destLabels),
      ),
    };
  }

  #around(first: number | undefined, end: number | undefined): Bucket[] {
    const buckets: Bucket[] = [];
    if (first === undefined || end === undefined) return buckets;
    for (let index = first; index !== end; index = this.#wrapped(index + 1)) buckets.push(this.#at(index));
    return buckets;
  }

  #indexOf(seconds: number): number | undefined {
    const newest = this.#at(this.#head);
    if (seconds >= newest.endSeconds || seconds < this.oldestSeconds) return undefined;
    const back = Math.ceil((newest.startSeconds - seconds) / this.bucketSeconds);
    return this.#wrapped(this.#head - back);
  }

  #wrapped(index: number): number {
    const length = this.#buckets.length;
    return ((index % length) + length) % length;
  }

  #at(index: number): Bucket {
    const bucket = this.#buckets[this.#wrapped(index)];
    if (!bucket) throw new RangeError(`no bucket at ${index}`);
    return bucket;
  }
}
