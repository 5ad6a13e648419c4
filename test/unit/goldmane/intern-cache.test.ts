import { expect, test } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decode.ts';
import { InternCache } from '../../../src/goldmane/intern-cache.ts';
import { bytesField, encodeFields, messageField, varintField } from './wire.ts';

test('it never holds more than its limit', () => {
  const cache = new InternCache<number, number>(100);
  for (let key = 0; key < 1_000; key++) {
    cache.set(key, key);
    expect(cache.size).toBeLessThanOrEqual(100);
  }
});

test('what is used stays, what is not goes', () => {
  const cache = new InternCache<string, number>(10);
  cache.set('used', 1);
  cache.set('idle', 2);
  for (let key = 0; key < 50; key++) {
    cache.set(`other-${key}`, key);
    expect(cache.get('used')).toBe(1);
  }
  expect(cache.get('idle')).toBeUndefined();
});

test('a decoder with a tiny limit decodes the same', () => {
  const tiny = new FlowDecoder({ internLimit: 2 });
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
