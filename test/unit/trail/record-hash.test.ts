import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowDecoder, type FlowKey } from '../../../src/goldmane/decoder/decode.ts';
import { contentOf } from '../../../src/goldmane/decoder/flow-key.ts';
import { saltedHasher, unsaltedHasher } from '../../../src/trail/merge/record-hash.ts';
import type { BucketBatch } from '../../../src/trail/record.ts';
import { foldListed, foldStreamed } from '../../support/captured-buckets.ts';
import { collidingDestinations, collidingFlows } from '../../support/colliding-flows.ts';
import { TrailModel } from '../../support/trail-model.ts';
import { encodeFlow } from './flow-messages.ts';

const bucket = 1_800_000_000;
const collision = collidingFlows(bucket).map(encodeFlow);
const salts = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
// An encoding begins with the tag of a field.
const encodings = fc
  .uint8Array({ minLength: 0, maxLength: 3_000 })
  .map((bytes) => Buffer.concat([Buffer.from([10]), bytes]));

function streamed(): BucketBatch[] {
  return foldStreamed(collision, bucket + 30);
}

function listed(): BucketBatch[] {
  const { records } = foldListed(collision, bucket);
  return [{ startSeconds: bucket, records, settled: 'final' }];
}

describe('two records with one hash', () => {
  test('without the salt exist', () => {
    const decoder = new FlowDecoder();
    const [cache, vault] = collision.map((raw) => decoder.decode(raw).key);
    expect(unsaltedHasher.hash(cache?.content ?? '')).toBe(0x43dfcfb852900a0an);
    expect(unsaltedHasher.hash(vault?.content ?? '')).toBe(0x43dfcfb852900a0an);
  });

  test('are two keys to the decoder, in any order', () => {
    for (const raws of [collision, collision.toReversed()]) {
      const decoder = new FlowDecoder();
      const keys: FlowKey[] = raws.map((raw) => decoder.decode(raw).key);
      expect(new Set(keys).size).toBe(2);
      expect(keys.map(({ dstNamespace }) => dstNamespace).toSorted()).toEqual(collidingDestinations);
    }
  });

  test.each([
    ['streamed', [streamed]],
    ['listed', [listed]],
    ['streamed and then listed', [streamed, listed]],
    ['listed and then streamed', [listed, streamed]],
  ])('are both counted, once each, when they are %s', (_how, readers) => {
    const model = new TrailModel();
    for (const read of readers) model.merge(read());
    expect(model.edges().map(({ dst_ns, flow_count }) => [dst_ns, flow_count])).toEqual(
      collidingDestinations.map((namespace) => [namespace, 1]),
    );
  });
});

describe('a hash', () => {
  test('depends on the salt', () => {
    fc.assert(
      fc.property(salts, salts, encodings, (a, b, encoding) => {
        fc.pre(!a.equals(b));
        const content = contentOf(encoding);
        expect(saltedHasher(a).hash(content)).not.toBe(saltedHasher(b).hash(content));
      }),
    );
  });

  test('is the first 64 bits of SHA-256 of the salt and the content', () => {
    fc.assert(
      fc.property(salts, encodings, (salt, encoding) => {
        const content = contentOf(encoding);
        const expected = createHash('sha256').update(salt).update(content, 'latin1').digest();
        expect(saltedHasher(salt).hashOf({ content })).toBe(expected.readBigUInt64BE());
      }),
    );
  });

  test('without a salt is that of the encoding, as in older versions, for any length', () => {
    fc.assert(
      fc.property(encodings, (encoding) => {
        const expected = createHash('sha256').update(encoding).digest();
        expect(unsaltedHasher.hash(contentOf(encoding))).toBe(expected.readBigUInt64BE());
      }),
    );
  });

  test('of the same object follows the salt', () => {
    const key = { content: 'x' };
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const first = saltedHasher(one).hashOf(key);
    expect(saltedHasher(two).hashOf(key)).not.toBe(first);
    expect(saltedHasher(one).hashOf(key)).toBe(first);
  });

  test('needs a salt', () => {
    expect(() => saltedHasher(null)).toThrow('record_salt');
  });
});

test('contents of different encodings differ, of 256 bytes and more too', () => {
  const lengths = [1, 255, 256, 257, 300, 5_000];
  const contents = lengths.flatMap((length) =>
    [1, 2].map((last) => contentOf(Buffer.concat([Buffer.alloc(length - 1, 10), Buffer.from([last])]))),
  );
  expect(new Set(contents).size).toBe(contents.length);
  for (const content of contents) expect(content.length).toBeLessThanOrEqual(256);
});
