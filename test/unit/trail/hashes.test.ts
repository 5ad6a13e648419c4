import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HashList, HashSet, unpackHashes } from '../../../src/trail/merge/hashes.ts';

const largest = (1n << 64n) - 1n;
const hash = fc.oneof(
  fc.bigInt({ min: 0n, max: largest }),
  // These share slots in a small set, regardless of the half that selects the slot.
  fc.bigInt({ min: 0n, max: 40n }),
  fc.bigInt({ min: 0n, max: 40n }).map((number) => number << 32n),
  fc.bigInt({ min: 0n, max: 40n }).map((number) => number * 16n * ((1n << 32n) + 1n)),
);

describe('a set of hashes', () => {
  test('equals a Set of BigInts after the same operations', () => {
    const operation = fc.tuple(fc.constantFrom('add', 'delete', 'has'), hash);
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const set = new HashSet();
        const expected = new Set<bigint>();
        const list = HashList.from(operations.map(([, number]) => number));
        for (const [index, [name, number]] of operations.entries()) {
          if (name === 'has') expect(set.has(list, index)).toBe(expected.has(number));
          else if (name === 'delete') expect(set.delete(list, index)).toBe(expected.delete(number));
          else {
            set.add(list, index);
            expected.add(number);
          }
          expect(set.size).toBe(expected.size);
        }
        expect(new Set(set)).toEqual(expected);
        for (const [index, [, number]] of operations.entries())
          expect(set.has(list, index)).toBe(expected.has(number));
      }),
    );
  });

  test('round-trips through packing', () => {
    fc.assert(
      fc.property(fc.array(hash), (numbers) => {
        const packed = HashSet.of(...numbers).pack();
        expect(new Set(unpackHashes(packed))).toEqual(new Set(numbers));
      }),
    );
  });

  test('is packed to the same bytes for any insertion order: ascending, unsigned, big-endian, eight bytes each', () => {
    fc.assert(
      fc.property(fc.uniqueArray(hash), (numbers) => {
        const sorted = numbers.toSorted((a, b) => (a < b ? -1 : 1));
        const bytes = sorted.map((number) => number.toString(16).padStart(16, '0')).join('');
        expect(
          HashSet.of(...numbers)
            .pack()
            .toString('hex'),
        ).toBe(bytes);
        expect(
          HashSet.of(...numbers.toReversed())
            .pack()
            .toString('hex'),
        ).toBe(bytes);
      }),
    );
    expect(HashSet.of(largest, 1n).pack().toString('hex')).toBe('0000000000000001ffffffffffffffff');
  });
});

test('bytes that are not hashes are rejected', () => {
  expect(() => unpackHashes(Buffer.alloc(9))).toThrow(RangeError);
});
