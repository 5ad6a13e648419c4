import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { InternCache } from '../../../src/goldmane/decoder/intern-cache.ts';
import { bytesField, encodeFields, messageField, varintField } from './wire.ts';

test('the cache never exceeds its limit, for any sizes of entries', () => {
  const keys = fc.array(fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 2_000 })), { maxLength: 300 });
  fc.assert(
    fc.property(keys, (entries) => {
      const held = new Map<number, number>();
      const cache = new InternCache<number, number>(5_000, (_, bytes) => bytes);
      for (const [key, bytes] of entries) {
        cache.set(key, bytes);
        held.set(key, bytes);
        const kept = [...held].filter(([one]) => cache.get(one) !== undefined);
        expect(kept.reduce((sum, [, size]) => sum + size, 0)).toBeLessThanOrEqual(5_000);
      }
    }),
  );
});

test('an entry larger than the limit is not kept', () => {
  const cache = new InternCache<string, string>(1_000, (_, value) => value.length);
  cache.set('small', 'x');
  cache.set('small', 'x'.repeat(2_000));
  expect(cache.get('small')).toBeUndefined();
});

test('used entries are kept, unused entries are dropped', () => {
  const cache = new InternCache<string, number>(1_500, () => 50);
  cache.set('used', 1);
  cache.set('idle', 2);
  for (let key = 0; key < 50; key++) {
    cache.set(`other-${key}`, key);
    expect(cache.get('used')).toBe(1);
  }
  expect(cache.get('idle')).toBeUndefined();
});

test('a decoder with a tiny limit returns the same results', () => {
  const tiny = new FlowDecoder({ internedBytes: 600 });
  const ample = new FlowDecoder();
  for (let index = 0; index < 200; index++) {
    const key = [bytesField(2, `ns-${(index * 7) % 13}`), bytesField(5, 'dbaas')];
    const raw = encodeFields([
      varintField(1, index % 5),
      messageField(2, [messageField(1, key), varintField(2, 1_500), varintField(3, 1_515)]),
    ]);
    expect(tiny.decode(raw).key).toEqual(ample.decode(raw).key);
  }
});
