import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packHashes, unpackHashes } from '../../../src/trail/hashes.ts';

const hashes = fc.uniqueArray(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));

test('what is packed is unpacked again', () => {
  fc.assert(
    fc.property(hashes, (list) => {
      expect(unpackHashes(packHashes(list))).toEqual(new Set(list));
    }),
  );
});

test('the same set is the same bytes in whatever order, eight for each hash, ascending as unsigned numbers', () => {
  fc.assert(
    fc.property(hashes, (list) => {
      const packed = packHashes(list);
      expect(packHashes(list.toReversed())).toEqual(packed);
      const sorted = list.toSorted((a, b) => (a < b ? -1 : 1));
      expect([...unpackHashes(packed)]).toEqual(sorted);
      expect(packed).toHaveLength(8 * list.length);
    }),
  );
  expect(packHashes([(1n << 64n) - 1n, 1n]).toString('hex')).toBe('0000000000000001ffffffffffffffff');
});

test('bytes that are no hashes are refused', () => {
  expect(() => unpackHashes(Buffer.alloc(9))).toThrow(RangeError);
});
