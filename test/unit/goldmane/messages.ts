import fc from 'fast-check';
import { bytesField, encodeFields, messageField, varintField, type Field } from './wire.ts';

/** FlowResults in unusual encodings: fields in any order, repeated and unknown. */

const INT64_MAX = (1n << 63n) - 1n;
const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9-]{1,40}$/),
  fc.constantFrom('', '-', 'ü', '名前空間', '🐈‍⬛', 'a'.repeat(253)),
);
const enumValue = fc.oneof(
  fc.bigInt({ min: 0n, max: 5n }),
  fc.bigInt({ min: -(1n << 31n), max: (1n << 31n) - 1n }),
);
const int64 = fc.oneof(fc.constant(0n), fc.bigInt({ min: -INT64_MAX, max: INT64_MAX }));
const label = fc
  .tuple(fc.constantFrom('app', 'service-identity', 'x'), name)
  .map(([key, value]) => `${key}=${value}`);

const unknownField: fc.Arbitrary<Field> = fc.oneof(
  fc.record({
    number: fc.integer({ min: 16, max: 536_870_911 }),
    varint: fc.bigInt({ min: 0n, max: INT64_MAX }),
  }),
  fc.record({ number: fc.integer({ min: 16, max: 3_000 }), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ number: fc.integer({ min: 16, max: 3_000 }), fixed32: fc.nat() }),
  fc.record({ number: fc.integer({ min: 16, max: 3_000 }), fixed64: fc.bigInt({ min: 0n, max: INT64_MAX }) }),
);

const keyField: fc.Arbitrary<Field> = fc.oneof(
  fc
    .tuple(fc.constantFrom(1, 2, 4, 5, 8, 9, 10, 12), name)
    .map(([number, value]) => bytesField(number, value)),
  fc.tuple(fc.constantFrom(3, 6, 13, 14), enumValue).map(([number, value]) => varintField(number, value)),
  fc.tuple(fc.constantFrom(7, 11), fc.nat(65_535)).map(([number, value]) => varintField(number, value)),
  unknownField,
);

const hit = fc
  .tuple(enumValue, name, name, name, enumValue, int64)
  .map(([kind, namespace, policy, tier, action, ruleIndex]) => [
    varintField(1, kind),
    bytesField(2, namespace),
    bytesField(3, policy),
    bytesField(4, tier),
    varintField(5, action),
    varintField(7, ruleIndex),
  ]);

export const policies: fc.Arbitrary<Field[]> = fc.array(
  fc.tuple(fc.constantFrom(1, 2), hit).map(([side, fields]) => messageField(side, fields)),
  { maxLength: 5 },
);

const flowField: fc.Arbitrary<Field> = fc.oneof(
  fc.tuple(fc.constantFrom(4, 5), label).map(([number, text]) => bytesField(number, text)),
  fc.tuple(fc.integer({ min: 6, max: 12 }), int64).map(([number, value]) => varintField(number, value)),
  unknownField,
);

function shuffled(fields: readonly Field[]): fc.Arbitrary<Field[]> {
  return fc.shuffledSubarray([...fields], { minLength: fields.length, maxLength: fields.length });
}

/** The fields of a FlowKey that has at least a source namespace. */
export const keyFields: fc.Arbitrary<Field[]> = fc
  .tuple(fc.array(keyField, { maxLength: 16 }), fc.option(policies))
  .chain(([fields, trace]) => shuffled([...fields, ...(trace ? [messageField(15, trace)] : [])]))
  // The last field, so that no empty value of it can follow.
  .map((fields) => [...fields, bytesField(2, 'somewhere')]);

/** Valid FlowResult messages in unusual encodings. */
export const flowResults: fc.Arbitrary<Buffer> = fc
  .tuple(
    keyFields,
    fc.array(flowField, { maxLength: 16 }),
    fc.integer({ min: 1, max: 200_000_000 }),
    fc.nat(),
    fc.array(unknownField, { maxLength: 3 }),
  )
  .chain(([key, rest, bucket, id, unknown]) =>
    shuffled([
      messageField(1, key),
      varintField(2, bucket * 15),
      varintField(3, bucket * 15 + 15),
      ...rest,
    ]).chain((flow) => shuffled([varintField(1, id), messageField(2, flow), ...unknown])),
  )
  .map(encodeFields);
