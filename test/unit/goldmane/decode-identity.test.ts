import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { contentOf } from '../../../src/goldmane/decoder/flow-key.ts';
import { keyFields } from './messages.ts';
import { flowResult, KEY, TIMES } from './records.ts';
import { bytesField, encodeFields, messageField, varintField, type Field } from './wire.ts';

function decodeKey(decoder: FlowDecoder, raw: Buffer) {
  return decoder.decode(raw).key;
}

test('does not depend on the encoding, and equal content is the same object', () => {
  const decoder = new FlowDecoder();
  fc.assert(
    fc.property(keyFields, (fields) => {
      // The canonical encoding: ordered by field number, only the last value of each field.
      const last = new Map(fields.filter(({ number }) => number <= 14).map((field) => [field.number, field]));
      const canonical = [...last.values()]
        .toSorted((a, b) => a.number - b.number)
        .filter((field) => !isDefault(field));
      expect(decodeKey(decoder, flowResult(fields))).toBe(decodeKey(decoder, flowResult(canonical)));
    }),
    { numRuns: 300 },
  );
});

const [name, namespace, destination, action] = KEY.map((field) => encodeFields([field]));
const NEGATIVE = encodeFields([...KEY.slice(0, 3), varintField(14, -2)]);
test.each<[string, (Buffer | undefined)[], Buffer]>([
  [
    'an empty string',
    [name, namespace, destination, encodeFields([bytesField(8, '')]), action],
    encodeFields(KEY),
  ],
  [
    'a port of zero',
    [name, namespace, destination, encodeFields([varintField(7, 0)]), action],
    encodeFields(KEY),
  ],
  [
    'an enum of zero',
    [name, namespace, destination, encodeFields([varintField(13, 0)]), action],
    encodeFields(KEY),
  ],
  [
    'a repeated field',
    [encodeFields([bytesField(1, 'x')]), name, namespace, destination, action],
    encodeFields(KEY),
  ],
  ['fields out of order', [namespace, name, destination, action], encodeFields(KEY)],
  [
    'a tag of two bytes',
    [Buffer.from([0x8a, 0x00, 0x05]), Buffer.from('web-*'), namespace, destination, action],
    encodeFields(KEY),
  ],
  [
    'a length of two bytes',
    [Buffer.from([0x0a, 0x85, 0x00]), Buffer.from('web-*'), namespace, destination, action],
    encodeFields(KEY),
  ],
  [
    'a number of two bytes',
    [name, namespace, destination, Buffer.from([0x70, 0x81, 0x00])],
    encodeFields(KEY),
  ],
  [
    'an enum beyond 32 bits',
    [name, namespace, destination, encodeFields([varintField(14, (1n << 32n) + 1n)])],
    encodeFields(KEY),
  ],
  [
    'an unknown field before',
    [encodeFields([varintField(99, 1)]), name, namespace, destination, action],
    encodeFields(KEY),
  ],
  [
    'an unknown field between',
    [name, encodeFields([bytesField(99, 'x')]), namespace, destination, action],
    encodeFields(KEY),
  ],
  [
    'a negative enum of five bytes',
    [name, namespace, destination, Buffer.from([0x70, 0xfe, 0xff, 0xff, 0xff, 0x0f])],
    NEGATIVE,
  ],
  [
    'a negative enum with other high bits',
    [name, namespace, destination, encodeFields([varintField(14, -2n - (1n << 40n))])],
    NEGATIVE,
  ],
])('%s changes nothing', (_what, pieces, canonical) => {
  const decoder = new FlowDecoder();
  const of = (key: Buffer) =>
    decodeKey(decoder, encodeFields([messageField(2, [bytesField(1, key), ...TIMES])]));
  const odd = of(Buffer.concat(pieces.map((piece) => piece ?? Buffer.alloc(0))));
  expect(of(canonical)).toBe(odd);
  expect(odd.content).toBe(contentOf(canonical));
});

test('does not include policies, labels, id and counters, but every identity field', () => {
  const decoder = new FlowDecoder();
  const plainContent = decodeKey(decoder, flowResult(KEY)).content;
  const trace = messageField(15, [messageField(1, [bytesField(3, 'allow-all')])]);
  const flow = [...TIMES, bytesField(4, 'app=web'), varintField(6, 3)];
  expect(decodeKey(decoder, flowResult([...KEY, trace], flow)).content).toBe(plainContent);
  const contents = new Set<string>();
  for (let number = 1; number <= 14; number++) {
    const isNumber = [3, 6, 7, 11, 13, 14].includes(number);
    const others = KEY.filter((field) => field.number !== number);
    contents.add(
      decodeKey(decoder, flowResult([...others, isNumber ? varintField(number, 2) : bytesField(number, 'x')]))
        .content,
    );
  }
  expect(contents.has(plainContent)).toBe(false);
  expect(contents.size).toBe(14);
});

test('unknown enum values are read as unspecified, but stay distinct', () => {
  const decoder = new FlowDecoder();
  const of = (number: bigint) =>
    decodeKey(
      decoder,
      flowResult([
        ...KEY.slice(0, 3),
        varintField(3, number),
        varintField(13, number),
        varintField(14, number),
      ]),
    );
  const unknown = [of(77n), of(78n), of(-1n), of(-2n)];
  for (const key of unknown)
    expect([key.srcType, key.reporter, key.action]).toEqual(['unspecified', 'unspecified', 'unspecified']);
  expect(new Set(unknown.map(({ content }) => content)).size).toBe(4);
});

function isDefault(field: Field): boolean {
  if ('bytes' in field) return field.bytes.length === 0;
  return 'varint' in field && field.varint === 0n;
}
