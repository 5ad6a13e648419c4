import type { Buffer } from 'node:buffer';
import { bucketSeconds } from '../../time/bucket.ts';
import { DecodedRecord, type FlowRecord, type ListedRecord } from './decoded-record.ts';
import { FlowScan } from './flow-scan.ts';
import { KeyInterner } from './key-interner.ts';
import { MalformedFlow } from './malformed-flow.ts';
import { BYTES, VARINT, WireReader } from './wire-reader.ts';

export type { FlowRecord, ListedRecord } from './decoded-record.ts';
export type { Action, EndpointType, FlowKey, Reporter } from './flow-key.ts';
export { MalformedFlow, type MalformedReason } from './malformed-flow.ts';
export type { PolicyTrace } from './policy-trace.ts';
export { counterNames, type RecordDetails } from './record-details.ts';

interface DecoderOptions {
  /** Memory for cached flow keys, names and policy traces. Default: 16 MiB. */
  internedBytes?: number;
}

interface ListSummary {
  /** The server's count; if it differs from `count`, the response is incomplete. */
  totalResults: number;
  /** Records in the response, including malformed ones. */
  count: number;
}

const LIST_META = (1 << 3) | BYTES;
const LIST_FLOW = (2 << 3) | BYTES;
const META_TOTAL_RESULTS = (2 << 3) | VARINT;

const MAX_STEP_BYTES = 512 * 1024;
/** From here on, years have five digits, which not all software can parse. */
const YEAR_10000_SECONDS = 253_402_300_800;

/**
 * Decodes Goldmane's FlowResult and FlowListResult by hand: it reads only what the trail needs, and recognises a flow
 * key seen before by its bytes instead of decoding it again. Not re-entrant.
 */
export class FlowDecoder {
  readonly #scan = new FlowScan();
  readonly #keys: KeyInterner;
  readonly #record: DecodedRecord;

  constructor({ internedBytes = 16 * 1024 * 1024 }: DecoderOptions = {}) {
    this.#keys = new KeyInterner(this.#scan, internedBytes);
    this.#record = new DecodedRecord(this.#scan, this.#keys);
  }

  /** One FlowResult. The record is reused: valid until the next call. Throws MalformedFlow. */
  decode(raw: Buffer): FlowRecord {
    return this.#decode(raw, 0, raw.length);
  }

  /** The record at `start` of a response that was visited before. It is reused: valid until the next call. */
  decodeAt(raw: Buffer, start: number, end: number): ListedRecord {
    return this.#decode(raw, start, end);
  }

  /** Releases the last buffer, which may be a whole response. */
  release(): void {
    this.#scan.release();
    this.#record.release();
  }

  /**
   * Visits each record of a FlowListResult, in the order of the response. A malformed record is passed to `onMalformed`
   * and skipped. A broken response throws MalformedFlow, possibly after some visits. It pauses after every `step`
   * records or 512 KiB, so that the caller can let other work run; the decoder is in use until the end.
   */
  *decodeList(
    raw: Buffer,
    visit: (record: ListedRecord) => void,
    onMalformed: (error: MalformedFlow) => void,
    step: number,
  ): Generator<undefined, ListSummary> {
    const answer = new WireReader();
    answer.reset(raw, 0, raw.length);
    try {
      return yield* this.#decodeList(answer, visit, onMalformed, step);
    } finally {
      this.release();
    }
  }

  /** The number of records in a FlowListResult, counted without decoding them. Throws MalformedFlow. */
  countRecords(raw: Buffer): number {
    const answer = new WireReader();
    answer.reset(raw, 0, raw.length);
    let count = 0;
    while (answer.pos < answer.end) {
      const tag = answer.tag();
      if (tag === LIST_FLOW) count++;
      answer.skip(tag);
    }
    return count;
  }

  *#decodeList(
    answer: WireReader,
    visit: (record: ListedRecord) => void,
    onMalformed: (error: MalformedFlow) => void,
    step: number,
  ): Generator<undefined, ListSummary> {
    const summary: ListSummary = { totalResults: 0, count: 0 };
    let pausedAt = 0;
    while (answer.pos < answer.end) {
      const tag = answer.tag();
      if (tag === LIST_FLOW) {
        const end = answer.contentEnd();
        summary.count++;
        const record = this.#tryDecode(answer.buf, answer.pos, end, onMalformed);
        if (record) visit(record);
        answer.pos = end;
        // A policy trace can make one record as expensive as a hundred others.
        if (summary.count % step !== 0 && end - pausedAt < MAX_STEP_BYTES) continue;
        pausedAt = end;
        yield;
      } else if (tag === LIST_META) summary.totalResults = readTotalResults(answer) ?? summary.totalResults;
      else if (tag >>> 3 <= 2)
        throw new MalformedFlow('bad_wire', `field ${tag >>> 3} has the wire type ${tag & 7}`);
      else answer.skip(tag);
    }
    return summary;
  }

  #tryDecode(
    raw: Buffer,
    start: number,
    end: number,
    onMalformed: (error: MalformedFlow) => void,
  ): DecodedRecord | undefined {
    try {
      return this.#decode(raw, start, end);
    } catch (error) {
      if (!(error instanceof MalformedFlow)) throw error;
      onMalformed(error);
      return undefined;
    }
  }

  #decode(raw: Buffer, start: number, end: number): DecodedRecord {
    const scan = this.#scan;
    const record = this.#record;
    scan.scanFlow(raw, start, end);
    const { startSeconds, endSeconds } = scan;
    this.#checkTimes(startSeconds, endSeconds);
    const known = this.#keys.intern();
    record.known = known;
    record.key = known.key;
    record.id = scan.id;
    record.startSeconds = startSeconds;
    record.endSeconds = endSeconds;
    record.hasTraffic = scan.hasTraffic;
    record.start = start;
    record.end = end;
    return record;
  }

  #checkTimes(startSeconds: number, endSeconds: number): void {
    if (
      startSeconds > 0 &&
      startSeconds < YEAR_10000_SECONDS &&
      startSeconds % bucketSeconds === 0 &&
      endSeconds === startSeconds + bucketSeconds
    )
      return;
    throw new MalformedFlow(
      'bad_times',
      `a record's times, ${startSeconds} to ${endSeconds}, are not a bucket of ${bucketSeconds} s`,
    );
  }
}

/** total_results of the ListMetadata at `reader.pos`, if it is set; moves the reader past the message. */
function readTotalResults(reader: WireReader): number | undefined {
  const outerEnd = reader.end;
  reader.end = reader.contentEnd();
  let total: number | undefined;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === META_TOTAL_RESULTS) total = reader.int64();
    else reader.skip(tag);
  }
  reader.end = outerEnd;
  return total;
}
