import { invalidListResponse, tooManyRecords } from '../goldmane/failure.ts';
import type { FlowDecoder, FlowKey, FlowRecord, MalformedFlow, PolicyTrace } from '../goldmane/decode.ts';
import {
  edgeKeyOf,
  namespaceOf,
  type BucketBatch,
  type EdgeKey,
  type FactEnd,
  type FactKey,
  type TrailRecord,
} from './record.ts';

/** The result of folding a streamed record; all but `pending` are left out, and counted by this name. */
export type Folded = 'pending' | 'repeated' | 'no_edge' | 'no_traffic' | 'future' | 'dropped';

/** Buckets further ahead of the clock are refused: one of them would expire every ledger row before it. */
export const futureLimitSeconds = 3_600;

/** A streamed record: what it counts for, and its key. One object per key, whatever the bucket. */
export interface StreamedRecord extends TrailRecord {
  readonly key: FlowKey;
  readonly edge: EdgeKey;
}

/**
 * Collects the stream's records in memory, synchronously, until a writer takes them (invariant 3). It holds one reference per
 * distinct record, at most `limit` of them; further records are dropped, and their bucket does not count as whole. Settling adds
 * them later.
 */
export class StreamFold {
  #buckets = new Map<number, Set<StreamedRecord>>();
  #damaged = new Set<number>();
  #pending = 0;
  /** Records that were taken and are not merged yet. */
  #held = 0;
  /** The record of each key in use: keys recur from bucket to bucket. */
  readonly #known = new WeakMap<FlowKey, StreamedRecord>();
  /** Records of keys that arrived since the last call of `hasNewEdge`. */
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

  /** Whether a record that arrived since the last call belongs to an edge for which `known` is false. */
  hasNewEdge(known: (edge: EdgeKey) => boolean): boolean {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh.some(({ edge }) => !known(edge));
  }

  /** Sets how many taken records still wait to be merged; they count against the limit. */
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

export interface FoldSettings {
  readonly label: string;
  readonly namespaces: ReadonlySet<string> | 'all';
  /** An answer with more records is refused before any of them is decoded. Default: no limit. */
  readonly maxRecords?: number;
}

/** One answer of `List`. `ids` has for each record's content the server's ids of its flow keys. */
export interface ListedBucket {
  startSeconds: number;
  records: TrailRecord[];
  ids: Map<string, number[]>;
  /** Records in the answer, including those left out. */
  count: number;
  noTraffic: number;
  malformed: MalformedFlow[];
}

/**
 * Folds one answer of `List` into records with edge, fact and policy trace.
 * A connection that appears as two keys (the hits of its policy trace in another order) is one record; of two different
 * traces the one with the smaller digest is the record's; the other is stored as evidence beside it.
 * @throws GoldmaneFailure (`invalid_list_response`, `answer_too_large`), MalformedFlow
 */
export function foldList(
  decoder: FlowDecoder,
  raw: Buffer,
  startSeconds: number,
  settings: FoldSettings,
): ListedBucket {
  const { maxRecords = Number.POSITIVE_INFINITY } = settings;
  const held = decoder.countRecords(raw);
  if (held > maxRecords) throw tooManyRecords(startSeconds, held, maxRecords);
  const records = new Map<string, TrailRecord[]>();
  const ids = new Map<string, number[]>();
  const malformed: MalformedFlow[] = [];
  let noTraffic = 0;
  const { totalResults, count } = decoder.decodeList(
    raw,
    (record) => {
      if (record.startSeconds !== startSeconds)
        throw invalidListResponse(startSeconds, `it holds a record of ${record.startSeconds}`);
      const { key } = record;
      const known = ids.get(key.content);
      if (known) known.push(record.id);
      else ids.set(key.content, [record.id]);
      if (!record.hasTraffic) {
        noTraffic += 1;
        return;
      }
      const edge = edgeKeyOf(key);
      const fact = factKeyOf(
        key,
        (end) => {
          const value = end === 'src' ? record.sourceLabel(settings.label) : record.destLabel(settings.label);
          return value ?? '';
        },
        settings,
      );
      const entry: TrailRecord = { key, ...(edge ? { edge } : {}), fact, trace: record.trace };
      const present = records.get(key.content);
      if (!present) records.set(key.content, [entry]);
      else if (present.every(({ trace }) => trace?.text !== entry.trace?.text)) present.push(entry);
    },
    (error) => malformed.push(error),
  );
  if (totalResults !== count)
    throw invalidListResponse(startSeconds, `it announces ${totalResults} records and holds ${count}`);
  const ordered = [...records.values()].flatMap((entries) => entries.sort(byTrace));
  return { startSeconds, records: ordered, ids, count, noTraffic, malformed };
}

function byTrace(a: TrailRecord, b: TrailRecord): number {
  return compareDigests(a.trace, b.trace);
}

function compareDigests(a: PolicyTrace | undefined, b: PolicyTrace | undefined): number {
  const [left, right] = [a?.digest ?? 0n, b?.digest ?? 0n];
  if (left !== right) return left < right ? -1 : 1;
  return (a?.text ?? '') < (b?.text ?? '') ? -1 : 1;
}

function factKeyOf(key: FlowKey, labelOf: (end: 'src' | 'dst') => string, settings: FoldSettings): FactKey {
  const end = (side: 'src' | 'dst', kind: FactEnd['kind'], namespace: string, name: string): FactEnd => {
    const ns = namespaceOf(namespace);
    switch (kind) {
      case 'network':
      case 'networkset':
        return { kind, ns, identity: name };
      case 'workload': {
        const looked = settings.namespaces === 'all' || settings.namespaces.has(ns);
        return { kind, ns, identity: looked ? labelOf(side) : '' };
      }
      case 'host':
      case 'unspecified':
        return { kind, ns, identity: '' };
    }
  };
  return {
    src: end('src', key.srcType, key.srcNamespace, key.srcName),
    dst: end('dst', key.dstType, key.dstNamespace, key.dstName),
    protocol: key.protocol,
    port: key.dstPort,
    reporter: key.reporter,
    action: key.action,
  };
}
