import fc from 'fast-check';
import { readCapture } from '../../support/capture.ts';
import { flowResults } from '../../unit/goldmane/messages.ts';

type Damage = (bytes: Buffer) => Buffer;

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = (share: number, bytes: Buffer) => Math.floor(share * (bytes.length + 1));
/** Bytes with a meaning in protobuf: continued varints, lengths, tags of groups. */
const significant = fc.constantFrom(0x00, 0x01, 0x0a, 0x12, 0x7a, 0x7f, 0x80, 0x83, 0x84, 0xff);

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(position, fc.oneof(fc.nat(255), significant)).map(([share, byte]): Damage => (bytes) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[Math.min(at(share, copy), copy.length - 1)] = byte;
    return copy;
  }),
  position.map(
    (share): Damage =>
      (bytes) =>
        bytes.subarray(0, at(share, bytes)),
  ),
  fc.tuple(position, fc.nat(12)).map(([share, length]): Damage => (bytes) => {
    const from = at(share, bytes);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  }),
  fc
    .tuple(position, fc.uint8Array({ minLength: 1, maxLength: 12 }))
    .map(([share, more]): Damage => (bytes) => {
      const from = at(share, bytes);
      return Buffer.concat([bytes.subarray(0, from), more, bytes.subarray(from)]);
    }),
  fc.tuple(position, position, fc.nat(40)).map(([from, to, length]): Damage => (bytes) => {
    const piece = bytes.subarray(at(from, bytes), at(from, bytes) + length);
    return Buffer.concat([bytes.subarray(0, at(to, bytes)), piece, bytes.subarray(at(to, bytes))]);
  }),
);

/** FlowResults of a real server and in unusual encodings, with up to four random changes. */
export const damagedResults: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof(fc.constantFrom(...readCapture().slice(0, 2_000)), flowResults),
    fc.array(damage, { maxLength: 4 }),
  )
  .map(([raw, damages]) => damages.reduce((bytes, change) => change(bytes), raw));

/** Arbitrary bytes. */
export const noise: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.from(bytes));
