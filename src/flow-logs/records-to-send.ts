import {
  counterNames,
  type FlowDecoder,
  type ListedRecord,
  type PolicyTrace,
  type RecordDetails,
} from '../goldmane/decoder/decode.ts';
import { readInSteps, visitResponse } from '../goldmane/list-response.ts';
import type { RecordHasher } from '../trail/merge/record-hash.ts';
import type { ExportRecord } from './log-record.ts';

/** The index of a record is stored in the low bits of its sort key; a response with more records was rejected before. */
const indexBits = 26n;
const indexMask = (1n << indexBits) - 1n;
/** After this many flow keys of one record, other work may run. */
const keysPerStep = 500;

/** A record, and its hash in the ledger. */
interface HashedRecord extends ExportRecord {
  hash: bigint;
}

/** One `List` response, plus 24 bytes per record: its position and its hash. Records are decoded when they are
 * visited, so a response of hundreds of thousands of records takes no further memory.
 */
export class ListedResponse {
  readonly #decoder: FlowDecoder;
  readonly #raw: Buffer;
  readonly #withLabels: boolean;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #hashes: BigUint64Array;
  #length = 0;
  /** Records that could not be read. */
  refused = 0;

  private constructor(decoder: FlowDecoder, raw: Buffer, capacity: number, withLabels: boolean) {
    this.#decoder = decoder;
    this.#raw = raw;
    this.#withLabels = withLabels;
    this.#starts = new Uint32Array(capacity);
    this.#ends = new Uint32Array(capacity);
    this.#hashes = new BigUint64Array(capacity);
  }

  /**
   * Finds the records that are evidence of traffic; yields to other work every few thousand records.
   * @throws GoldmaneFailure (`invalid_list_response`, `response_too_large`)
   */
  static async read(
    decoder: FlowDecoder,
    raw: Buffer,
    startSeconds: number,
    options: { hasher: RecordHasher; maxRecords: number; withLabels: boolean },
  ): Promise<ListedResponse> {
    const { hasher, maxRecords, withLabels } = options;
    let answer = new ListedResponse(decoder, raw, 0, withLabels);
    const steps = visitResponse(
      decoder,
      raw,
      { startSeconds, maxRecords },
      {
        onStart(held) {
          answer = new ListedResponse(decoder, raw, held, withLabels);
        },
        onRecord(record) {
          if (record.hasTraffic) answer.#add(record, hasher.hash(record.key.content));
        },
        onMalformed() {
          answer.refused += 1;
        },
      },
    );
    await readInSteps(steps, startSeconds);
    return answer;
  }

  /** Sorted; a record with several flow keys occurs several times. */
  hashes(): BigUint64Array<ArrayBuffer> {
    return this.#hashes.slice(0, this.#length).sort();
  }

  /** Each record once, except those whose hash is in `known`: flow keys with the same identity are added up. If
   * policy traces differ, the one with the smaller digest is used, as in the trail.
   * @param known sorted
   * @returns undefined between two records: other work may run
   */
  *records(known: BigUint64Array): Generator<HashedRecord | undefined> {
    const order = this.#order();
    let at = 0;
    while (at < order.length) {
      const first = indexOf(order[at]);
      let next = at + 1;
      while (next < order.length && (order[next] ?? 0n) >> indexBits === (order[at] ?? 0n) >> indexBits)
        next += 1;
      if (next === at + 1) {
        const hash = this.#hashes[first] ?? 0n;
        if (!includes(known, hash)) yield { ...this.#decode(first), hash };
      } else yield* this.#added(order.subarray(at, next), known);
      at = next;
    }
  }

  #add({ start, end }: ListedRecord, hash: bigint): void {
    this.#starts[this.#length] = start;
    this.#ends[this.#length] = end;
    this.#hashes[this.#length] = hash;
    this.#length += 1;
  }

  /** Sort keys of the records: the high bits of the hash, then the index, so that similar hashes are adjacent. */
  #order(): BigUint64Array {
    const order = new BigUint64Array(this.#length);
    for (let index = 0; index < this.#length; index++)
      order[index] = ((this.#hashes[index] ?? 0n) & ~indexMask) | BigInt(index);
    return order.sort();
  }

  #decode(index: number): ExportRecord {
    const record = this.#decoder.decodeAt(this.#raw, this.#starts[index] ?? 0, this.#ends[index] ?? 0);
    return {
      key: record.key,
      details: record.details({ withLabels: this.#withLabels }),
      trace: record.trace,
      traces: 1,
    };
  }

  /**
   * Records whose hashes have the same high bits: usually one record with several flow keys. A policy with many rules can give it
   * hundreds of thousands.
   */
  *#added(order: BigUint64Array, known: BigUint64Array): Generator<HashedRecord | undefined> {
    const byContent = new Map<string, HashedRecord & { digests: Set<bigint> }>();
    for (const [at, each] of order.entries()) {
      if (at % keysPerStep === keysPerStep - 1) yield undefined;
      const index = indexOf(each);
      const hash = this.#hashes[index] ?? 0n;
      if (includes(known, hash)) continue;
      const record = this.#decode(index);
      const { content } = record.key;
      const before = byContent.get(content);
      if (!before) {
        byContent.set(content, { ...record, hash, digests: new Set([record.trace.digest]) });
        continue;
      }
      before.digests.add(record.trace.digest);
      before.traces = before.digests.size;
      if (isBefore(record.trace, before.trace)) before.trace = record.trace;
      addDetails(before.details, record.details);
    }
    yield* byContent.values();
  }
}

/** Counters are added up; only labels that both have are kept. */
function addDetails(sum: RecordDetails, { counters, srcLabels, dstLabels }: RecordDetails): void {
  for (const name of counterNames) sum.counters[name] += counters[name];
  const [ofSource, ofDestination] = [new Set(srcLabels), new Set(dstLabels)];
  sum.srcLabels = sum.srcLabels.filter((label) => ofSource.has(label));
  sum.dstLabels = sum.dstLabels.filter((label) => ofDestination.has(label));
}

function isBefore(a: PolicyTrace, b: PolicyTrace): boolean {
  return a.digest === b.digest ? a.text < b.text : a.digest < b.digest;
}

function indexOf(key: bigint | undefined): number {
  return Number((key ?? 0n) & indexMask);
}

/** @param sorted ascending */
function includes(sorted: BigUint64Array, hash: bigint): boolean {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] ?? 0n) < hash) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === hash;
}
