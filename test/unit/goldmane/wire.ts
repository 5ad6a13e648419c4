/** A field on the wire. Tests may use fields in any order and number. */
export type Field =
  | { number: number; varint: bigint }
  | { number: number; bytes: Uint8Array }
  | { number: number; fixed32: number }
  | { number: number; fixed64: bigint };

export function varintField(number: number, value: number | bigint): Field {
  return { number, varint: BigInt(value) };
}

export function bytesField(number: number, content: Uint8Array | string): Field {
  return { number, bytes: typeof content === 'string' ? Buffer.from(content, 'utf8') : content };
}

export function messageField(number: number, fields: readonly Field[]): Field {
  return { number, bytes: encodeFields(fields) };
}

export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(encodeField));
}

export function encodeVarint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function encodeField(field: Field): Buffer {
  if ('varint' in field) return Buffer.concat([tag(field.number, 0), encodeVarint(field.varint)]);
  if ('bytes' in field)
    return Buffer.concat([tag(field.number, 2), encodeVarint(BigInt(field.bytes.length)), field.bytes]);
  const value = Buffer.alloc('fixed32' in field ? 4 : 8);
  if ('fixed32' in field) value.writeUInt32LE(field.fixed32);
  else value.writeBigUInt64LE(BigInt.asUintN(64, field.fixed64));
  return Buffer.concat([tag(field.number, 'fixed32' in field ? 5 : 1), value]);
}

function tag(number: number, wireType: number): Buffer {
  return encodeVarint(BigInt(number * 8 + wireType));
}
