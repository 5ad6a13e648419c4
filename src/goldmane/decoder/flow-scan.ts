import { Buffer } from 'node:buffer';
import { POLICIES_FIELD } from './flow-key-reader.ts';
import { MalformedFlow, noKey } from './malformed-flow.ts';
import { BYTES, VARINT, WireReader } from './wire-reader.ts';

// Tags of the fields of FlowResult, Flow and FlowKey: number << 3 | wire type.
const RESULT_ID = (1 << 3) | VARINT;
const RESULT_FLOW = (2 << 3) | BYTES;
const FLOW_KEY = (1 << 3) | BYTES;
const FLOW_START = (2 << 3) | VARINT;
const FLOW_END = (3 << 3) | VARINT;
export const FLOW_SOURCE_LABEL = (4 << 3) | BYTES;
export const FLOW_DEST_LABEL = (5 << 3) | BYTES;
const FIRST_COUNTER = 6;
const LAST_COUNTER = 12;
const KEY_POLICIES = (POLICIES_FIELD << 3) | BYTES;

const NOTHING = Buffer.alloc(0);

/** The position of an embedded message. Several occurrences of a field are equivalent to their concatenation. */
class Span {
  buf: Buffer = NOTHING;
  start = -1;
  end = -1;
  #pieces: Buffer[] | undefined;

  get found(): boolean {
    return this.start >= 0;
  }

  clear(): void {
    this.start = -1;
    this.end = -1;
    this.#pieces = undefined;
  }

  release(): void {
    this.clear();
    this.buf = NOTHING;
  }

  /** Records the position of the content at `reader.pos` and moves the reader past it. */
  take(reader: WireReader): void {
    const end = reader.contentEnd();
    if (this.start < 0) {
      this.buf = reader.buf;
      this.start = reader.pos;
      this.end = end;
    } else {
      this.#pieces ??= [this.buf.subarray(this.start, this.end)];
      this.#pieces.push(reader.buf.subarray(reader.pos, end));
    }
    reader.pos = end;
  }

  /** Call this when all occurrences are recorded. Throws MalformedFlow if one of them ends in the middle of a field. */
  join(): void {
    if (!this.#pieces) return;
    // Otherwise the next occurrence would complete the field.
    for (const piece of this.#pieces) skipFields(piece);
    this.buf = Buffer.concat(this.#pieces);
    this.start = 0;
    this.end = this.buf.length;
    this.#pieces = undefined;
  }
}

/** Finds the parts of one FlowResult without decoding names, labels and policies. */
export class FlowScan {
  readonly reader = new WireReader();
  id = 0;
  startSeconds = 0;
  endSeconds = 0;
  hasTraffic = false;
  /** Labels of both ends lie within [labelsStart, labelsEnd) of the flow's buffer. */
  readonly flow = new Span();
  labelsStart = 0;
  labelsEnd = 0;
  readonly key = new Span();
  readonly policies = new Span();
  /**
   * The end of the key's identity fields if all of them come first, as Go writes them; -1 if they must be collected
   * from the whole key.
   */
  identityEnd = 0;

  /**
   * Finds all parts except those inside the key. Throws MalformedFlow unless it is a FlowResult with a flow and a key.
   */
  scanFlow(buf: Buffer, start: number, end: number): void {
    this.#scanResult(buf, start, end);
    this.#scanFlow();
  }

  /** Finds `identityEnd` and `policies` in the key that scanFlow found. Throws MalformedFlow. */
  scanKey(): void {
    const { reader, key, policies } = this;
    const { buf } = key;
    policies.clear();
    reader.reset(buf, key.start, key.end);
    // Up to the first tag that is field 15 or has more than one byte.
    while (reader.pos < reader.end && (buf[reader.pos] ?? 0) < POLICIES_FIELD << 3) reader.skip(reader.tag());
    this.identityEnd = reader.pos;
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag === KEY_POLICIES) policies.take(reader);
      else {
        const field = tag >>> 3;
        if (field < POLICIES_FIELD) this.identityEnd = -1;
        else refuseKnown(tag, POLICIES_FIELD);
        reader.skip(tag);
      }
    }
    policies.join();
  }

  /** Releases the last buffer: a `List` response may have many megabytes. */
  release(): void {
    this.reader.reset(NOTHING, 0, 0);
    this.flow.release();
    this.key.release();
    this.policies.release();
    this.labelsStart = 0;
    this.labelsEnd = 0;
  }

  #scanResult(buf: Buffer, start: number, end: number): void {
    const { reader, flow } = this;
    this.id = 0;
    flow.clear();
    reader.reset(buf, start, end);
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag === RESULT_ID) this.id = reader.int64();
      else if (tag === RESULT_FLOW) flow.take(reader);
      else {
        refuseKnown(tag, 2);
        reader.skip(tag);
      }
    }
    flow.join();
    if (!flow.found) throw noKey();
  }

  #scanFlow(): void {
    const { reader, flow, key } = this;
    this.startSeconds = 0;
    this.endSeconds = 0;
    this.labelsStart = flow.start;
    this.labelsEnd = flow.start;
    key.clear();
    // One bit per counter: if a field occurs several times, the last value is valid.
    let traffic = 0;
    reader.reset(flow.buf, flow.start, flow.end);
    while (reader.pos < reader.end) {
      const tagAt = reader.pos;
      const tag = reader.tag();
      switch (tag) {
        case FLOW_KEY:
          key.take(reader);
          break;
        case FLOW_START:
          this.startSeconds = reader.int64();
          break;
        case FLOW_END:
          this.endSeconds = reader.int64();
          break;
        case FLOW_SOURCE_LABEL:
        case FLOW_DEST_LABEL:
          if (this.labelsEnd === flow.start) this.labelsStart = tagAt;
          reader.pos = reader.contentEnd();
          this.labelsEnd = reader.pos;
          break;
        default: {
          const field = tag >>> 3;
          if (field >= FIRST_COUNTER && field <= LAST_COUNTER && (tag & 7) === VARINT) {
            const bit = 1 << field;
            traffic = reader.nonZero() ? traffic | bit : traffic & ~bit;
          } else {
            refuseKnown(tag, LAST_COUNTER);
            reader.skip(tag);
          }
        }
      }
    }
    this.hasTraffic = traffic !== 0;
    key.join();
    if (!key.found) throw noKey();
  }
}

function skipFields(message: Buffer): void {
  const reader = new WireReader();
  reader.reset(message, 0, message.length);
  while (reader.pos < reader.end) reader.skip(reader.tag());
}

/** A known field that reaches this point has a wrong wire type; unknown fields are skipped. */
function refuseKnown(tag: number, lastKnown: number): void {
  const field = tag >>> 3;
  if (field <= lastKnown) throw new MalformedFlow('bad_wire', `field ${field} has the wire type ${tag & 7}`);
}
