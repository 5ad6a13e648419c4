/**
 * Protocol Buffers by hand: as much of the encoding as Goldmane's messages use. By hand because the stand-in must
 * not be what a benchmark measures: keys are encoded once, and a record is mostly one copy.
 * Source: protobuf.dev/programming-guides/encoding.
 */

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

const TWO_POW_32 = 0x1_0000_0000;

/** Appends protobuf fields to a buffer that grows. Proto3: zero and empty are left out unless said otherwise. */
export class WireWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** The bytes so far, copied: the writer may be used again. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  /** The bytes so far, not copied: valid until the writer is written to or reset. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  int(field: number, value: number): void {
    if (value === 0) return;
    this.tag(field, VARINT);
    this.varint(value);
  }

  string(field: number, value: string): void {
    if (value === '') return;
    const length = Buffer.byteLength(value, 'utf8');
    this.tag(field, LENGTH_DELIMITED);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#buffer.write(value, this.#length, 'utf8');
  }

  /** Written even when empty: an empty message is not an absent one. */
  bytes(field: number, value: Buffer): void {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(value.length);
    this.raw(value);
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  raw(value: Buffer): void {
    this.#reserve(value.length);
    value.copy(this.#buffer, this.#length);
    this.#length += value.length;
  }

  uint32BigEndian(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** An int64 as a varint: ten bytes when negative. Exact for safe integers. */
  varint(value: number): void {
    this.#reserve(10);
    if (value < 0) {
      this.#negative(value);
      return;
    }
    let rest = value;
    while (rest >= TWO_POW_32) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    rest >>>= 0;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** The bytes are not protobuf, or end in the middle of a field. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset}`);
    this.offset = offset;
  }
}

/** Walks the fields of one message: `next()`, then the reader of the field's type, or `skip()`. */
export class WireReader {
  readonly #buffer: Buffer;
  #offset = 0;
  field = 0;
  wireType = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  next(): boolean {
    if (this.#offset >= this.#buffer.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    return true;
  }

  /** An int64; numbers beyond 2^53 lose their last bits. */
  int(): number {
    if (this.wireType !== VARINT) throw new MalformedMessage('expected a varint', this.#offset);
    return this.#varint();
  }

  bytes(): Buffer {
    if (this.wireType !== LENGTH_DELIMITED) throw new MalformedMessage('expected bytes', this.#offset);
    const length = this.#varint();
    return this.#take(length);
  }

  string(): string {
    return this.bytes().toString('utf8');
  }

  skip(): void {
    switch (this.wireType) {
      case VARINT:
        this.#varint();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case LENGTH_DELIMITED:
        this.bytes();
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        throw new MalformedMessage(`unknown wire type ${this.wireType}`, this.#offset);
    }
  }

  #take(length: number): Buffer {
    const end = this.#offset + length;
    if (length < 0 || end > this.#buffer.length) throw new MalformedMessage('truncated', this.#offset);
    const taken = this.#buffer.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  #varint(): number {
    const start = this.#offset;
    let value = 0;
    let scale = 1;
    // Seven bytes are 49 bits, which a number holds; longer ones are rare (negative, or enormous).
    for (let index = 0; index < 7; index++) {
      const byte = this.#buffer[this.#offset++];
      if (byte === undefined) throw new MalformedMessage('truncated', start);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    this.#offset = start;
    return this.#longVarint();
  }

  #longVarint(): number {
    const start = this.#offset;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#buffer[this.#offset++];
      if (byte === undefined) throw new MalformedMessage('truncated', start);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new MalformedMessage('a varint of more than ten bytes', start);
  }
}
