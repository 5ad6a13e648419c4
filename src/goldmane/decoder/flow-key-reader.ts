import { Buffer } from 'node:buffer';
import type { Action, EndpointType, FlowKey, Reporter } from './flow-key.ts';
import { MalformedFlow, noKey } from './malformed-flow.ts';
import { checkStoredName, MAX_NAME_BYTES, readName, readUnstoredName, type NameCache } from './names.ts';
import { BYTES, VARINT, type WireReader } from './wire-reader.ts';

/** Field 15 of FlowKey, the policy trace: the first that is not part of a record's identity. */
export const POLICIES_FIELD = 15;

const FIELD_NAMES = [
  '',
  'source_name',
  'source_namespace',
  'source_type',
  'dest_name',
  'dest_namespace',
  'dest_type',
  'dest_port',
  'dest_service_name',
  'dest_service_namespace',
  'dest_service_port_name',
  'dest_service_port',
  'proto',
  'reporter',
  'action',
] as const;

const SOURCE_NAME = 1;
const SOURCE_TYPE = 3;
const DEST_NAME = 4;
const DEST_TYPE = 6;
const DEST_PORT = 7;
const SERVICE_PORT = 11;
const SERVICE_NAME = 8;
const SERVICE_NAMESPACE = 9;
const SERVICE_PORT_NAME = 10;
const REPORTER = 13;
const ACTION = 14;

const ENDPOINT_TYPES: readonly EndpointType[] = ['unspecified', 'workload', 'host', 'networkset', 'network'];
const REPORTERS: readonly Reporter[] = ['unspecified', 'src', 'dst'];
const ACTIONS: readonly Action[] = ['unspecified', 'allow', 'deny', 'pass'];

/**
 * Reads keys, one at a time: `read`, then `canonicalBytes` if the encoding was not canonical, then `build`. What it
 * reads is stored in arrays by field number, which are reused for each key.
 */
export class FlowKeyReader {
  readonly #names: NameCache;
  readonly #strings: string[] = FIELD_NAMES.map(() => '');
  readonly #numbers: number[] = FIELD_NAMES.map(() => 0);
  #canonical = true;

  constructor(names: NameCache) {
    this.#names = names;
  }

  /**
   * Reads the identity fields between `reader.pos` and `reader.end` in any order and encoding, and skips other fields.
   * Returns whether those bytes are the canonical encoding. Throws MalformedFlow.
   */
  read(reader: WireReader): boolean {
    this.#strings.fill('');
    this.#numbers.fill(0);
    this.#canonical = true;
    let last = 0;
    while (reader.pos < reader.end) {
      const tagAt = reader.pos;
      const tag = reader.tag();
      const field = tag >>> 3;
      if (field >= POLICIES_FIELD) {
        reader.skip(tag);
        this.#canonical = false;
        continue;
      }
      // Only ascending order without repetition, and tags of one byte, are canonical. The last value counts.
      if (field <= last || reader.pos - tagAt !== 1) this.#canonical = false;
      last = field;
      const wireType = isNumber(field) ? VARINT : BYTES;
      if ((tag & 7) !== wireType)
        throw new MalformedFlow('bad_wire', `${FIELD_NAMES[field]} has the wire type ${tag & 7}`);
      if (wireType === VARINT) this.#readNumber(reader, field);
      else this.#readString(reader, field);
    }
    if (last === 0) throw noKey();
    this.#checkStoredEnd(SOURCE_NAME, SOURCE_TYPE);
    this.#checkStoredEnd(DEST_NAME, DEST_TYPE);
    return this.#canonical;
  }

  /** The canonical encoding of what was read. Throws MalformedFlow if it is empty. */
  canonicalBytes(): Buffer {
    const bytes: number[] = [];
    for (let field = 1; field < POLICIES_FIELD; field++) {
      if (isNumber(field)) {
        const value = this.#numbers[field] ?? 0;
        if (value === 0) continue;
        bytes.push((field << 3) | VARINT);
        pushVarint(bytes, value);
      } else {
        const text = Buffer.from(this.#strings[field] ?? '', 'utf8');
        if (text.length === 0) continue;
        bytes.push((field << 3) | BYTES);
        pushVarint(bytes, text.length);
        for (const byte of text) bytes.push(byte);
      }
    }
    if (bytes.length === 0) throw noKey();
    return Buffer.from(bytes);
  }

  /** The key that was read. `content` is that of its canonical encoding. */
  build(content: string): FlowKey {
    const strings = this.#strings;
    const numbers = this.#numbers;
    const srcType = ENDPOINT_TYPES[numbers[SOURCE_TYPE] ?? 0] ?? 'unspecified';
    const dstType = ENDPOINT_TYPES[numbers[DEST_TYPE] ?? 0] ?? 'unspecified';
    return {
      content,
      srcName: hasStoredName(srcType) ? (strings[SOURCE_NAME] ?? '') : '',
      srcNamespace: strings[2] ?? '',
      srcType,
      dstName: hasStoredName(dstType) ? (strings[DEST_NAME] ?? '') : '',
      dstNamespace: strings[5] ?? '',
      dstType,
      dstPort: numbers[DEST_PORT] ?? 0,
      protocol: strings[12] ?? '',
      reporter: REPORTERS[numbers[REPORTER] ?? 0] ?? 'unspecified',
      action: ACTIONS[numbers[ACTION] ?? 0] ?? 'unspecified',
    };
  }

  #readNumber(reader: WireReader, field: number): void {
    const start = reader.pos;
    const isPort = field === DEST_PORT || field === SERVICE_PORT;
    const value = isPort ? reader.int64() : reader.int32();
    if (isPort && (value < 0 || value > 0xffff))
      throw new MalformedFlow('bad_port', `${FIELD_NAMES[field]} is outside 0 to 65535`);
    this.#numbers[field] = value;
    // Negative numbers occur only as unknown enum values, which are rare; they are simply re-encoded.
    if (value <= 0 || reader.pos - start !== varintLength(value)) this.#canonical = false;
  }

  /** The name of a network or network set is stored as the identity of that end. */
  #checkStoredEnd(nameField: number, typeField: number): void {
    if (hasStoredName(ENDPOINT_TYPES[this.#numbers[typeField] ?? 0]))
      checkStoredName(this.#strings[nameField] ?? '', FIELD_NAMES[nameField] ?? '');
  }

  #readString(reader: WireReader, field: number): void {
    const lengthAt = reader.pos;
    const end = reader.contentEnd();
    const length = end - reader.pos;
    if (length === 0 || reader.pos - lengthAt !== varintLength(length)) this.#canonical = false;
    const read = isStored(field) ? readName : readUnstoredName;
    const name = read(reader.buf, reader.pos, end, FIELD_NAMES[field] ?? '');
    // Namespaces, services and protocols recur in many keys; names of the ends rarely do.
    this.#strings[field] =
      field === SOURCE_NAME || field === DEST_NAME || length > MAX_NAME_BYTES
        ? name
        : this.#names.intern(name);
    reader.pos = end;
  }
}

function hasStoredName(type: EndpointType | undefined): boolean {
  return type === 'network' || type === 'networkset';
}

function pushVarint(bytes: number[], value: number): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
}

/** For a number from 0 to 2^31. */
function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Whether the field's text is stored, for every type of end. */
function isStored(field: number): boolean {
  switch (field) {
    case SOURCE_NAME:
    case DEST_NAME:
    case SERVICE_NAME:
    case SERVICE_NAMESPACE:
    case SERVICE_PORT_NAME:
      return false;
    default:
      return true;
  }
}

function isNumber(field: number): boolean {
  switch (field) {
    case SOURCE_TYPE:
    case DEST_TYPE:
    case DEST_PORT:
    case SERVICE_PORT:
    case REPORTER:
    case ACTION:
      return true;
    default:
      return false;
  }
}
