import { Buffer } from 'node:buffer';
import { MalformedFlow } from './malformed-flow.ts';

/** Wire types of protobuf, the low three bits of a tag (https://protobuf.dev/programming-guides/encoding/). */
export const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const NOTHING = Buffer.alloc(0);
const MAX_GROUP_DEPTH = 100;

/**
 * Reads protobuf's wire format between `pos` and `end` of a buffer, never beyond `end`. One object reads many messages:
 * a nested message is read by temporarily narrowing `end`. Throws MalformedFlow (`truncated`, `bad_wire`).
 */
export class WireReader {
  buf: Buffer = NOTHING;
  pos = 0;
  end = 0;

  reset(buf: Buffer, start: number, end: number): void {
    this.buf = buf;
    this.pos = start;
    this.end = end;
  }

  /** Field number << 3 | wire type. */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw new MalformedFlow('bad_wire', 'a field has the number 0');
    return tag;
  }

  /** A varint that must fit 32 bits, unsigned: tags and lengths. */
  uint32(): number {
    const { buf } = this;
    if (this.pos >= this.end) throw truncated();
    const first = buf[this.pos++] ?? 0;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let unit = 0x80;
    for (let length = 2; length <= 5; length++) {
      if (this.pos >= this.end) throw truncated();
      const byte = buf[this.pos++] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
      unit *= 0x80;
    }
    throw new MalformedFlow('bad_wire', 'a tag or a length does not fit in 32 bits');
  }

  /**
   * A signed 64-bit varint as a number: exact up to 2^53 in both directions; larger values are approximate, and callers reject them.
   */
  int64(): number {
    const { buf } = this;
    if (this.pos >= this.end) throw truncated();
    const first = buf[this.pos++] ?? 0;
    if (first < 0x80) return first;
    // 32 low and 32 high bits, so that a negative number needs no BigInt.
    let low = first & 0x7f;
    let high = 0;
    for (let shift = 7; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw truncated();
      const byte = buf[this.pos++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break;
        // Most numbers are small integers, which the engine handles faster than a double from a multiplication.
        return high === 0 && low >= 0 ? low : (high | 0) * 0x1_0000_0000 + (low >>> 0);
      }
    }
    throw new MalformedFlow('bad_wire', 'a number does not fit in 64 bits');
  }

  /** An enum or an int32: the low 32 bits of a varint, signed, as protobuf truncates them. */
  int32(): number {
    const start = this.pos;
    this.skipVarint();
    let value = 0;
    for (let at = start, shift = 0; at < this.pos && shift < 32; at++, shift += 7)
      value |= ((this.buf[at] ?? 0) & 0x7f) << shift;
    return value;
  }

  /** Whether a varint is anything but zero. */
  nonZero(): boolean {
    if (this.pos < this.end) {
      const first = this.buf[this.pos] ?? 0;
      if (first < 0x80) {
        this.pos++;
        return first !== 0;
      }
    }
    const start = this.pos;
    this.skipVarint();
    for (let at = start; at < this.pos; at++) if (((this.buf[at] ?? 0) & 0x7f) !== 0) return true;
    return false;
  }

  /** Reads a length and returns the end of the content that starts at `pos`. */
  contentEnd(): number {
    const length = this.uint32();
    const contentEnd = this.pos + length;
    if (contentEnd > this.end) throw truncated();
    return contentEnd;
  }

  /** Skips the value of a field. */
  skip(tag: number): void {
    this.#skip(tag, 0);
  }

  #skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case VARINT:
        this.skipVarint();
        return;
      case FIXED64:
        this.#advance(8);
        return;
      case BYTES:
        this.pos = this.contentEnd();
        return;
      case GROUP_START:
        this.#skipGroup(tag >>> 3, depth + 1);
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw new MalformedFlow('bad_wire', `a field has the wire type ${tag & 7}`);
    }
  }

  skipVarint(): void {
    for (let length = 1; length <= 10; length++) {
      if (this.pos >= this.end) throw truncated();
      const byte = this.buf[this.pos++] ?? 0;
      if (byte < 0x80) {
        if (length === 10 && byte > 1) break;
        return;
      }
    }
    throw new MalformedFlow('bad_wire', 'a number does not fit in 64 bits');
  }

  #skipGroup(field: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) throw new MalformedFlow('bad_wire', 'groups are nested too deeply');
    for (;;) {
      const tag = this.tag();
      if ((tag & 7) === GROUP_END) {
        if (tag >>> 3 === field) return;
        throw new MalformedFlow('bad_wire', 'a group ends without having started');
      }
      this.#skip(tag, depth);
    }
  }

  #advance(bytes: number): void {
    if (this.pos + bytes > this.end) throw truncated();
    this.pos += bytes;
  }
}

function truncated(): MalformedFlow {
  return new MalformedFlow('truncated', 'a message ends in the middle of a field');
}
