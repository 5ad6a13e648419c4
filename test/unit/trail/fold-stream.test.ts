import { beforeEach, describe, expect, test } from 'vitest';
import { FlowDecoder, type FlowRecord } from '../../../src/goldmane/decoder/decode.ts';
import { futureLimitSeconds, StreamFold, streamBatch } from '../../../src/trail/fold/fold-stream.ts';
import { edgeText } from '../../../src/trail/edge-key.ts';
import { encodeFlow, type TestFlow } from './flow-messages.ts';

const bucket = 1_800_000_000;
let decoder: FlowDecoder;
let fold: StreamFold;

beforeEach(() => {
  decoder = new FlowDecoder();
  fold = new StreamFold({ limit: 3 });
});

function record(flow: Partial<TestFlow> = {}): FlowRecord {
  return decoder.decode(encodeFlow({ startSeconds: bucket, ...flow }));
}

function add(flow: Partial<TestFlow> = {}, nowSeconds = bucket + 30) {
  return fold.add(record(flow), nowSeconds);
}

/** Bucket and port of each pending record. */
function taken(): [number, number[]][] {
  return fold
    .take()
    .map(({ startSeconds, records }) => [startSeconds, [...records].map(({ key }) => key.dstPort)]);
}

describe('records', () => {
  test('are pending until merged, once each, by bucket, oldest first', () => {
    expect([add({ startSeconds: bucket + 15, port: 1 }), add({ port: 1 }), add({ port: 2 })]).toEqual([
      'pending',
      'pending',
      'pending',
    ]);
    expect(add({ port: 2, id: 77, policies: ['p'] })).toBe('repeated');
    expect(fold.pending).toBe(3);
    expect(taken()).toEqual([
      [bucket, [1, 2]],
      [bucket + 15, [1]],
    ]);
    expect(fold.pending).toBe(0);
    expect(taken()).toEqual([]);
  });

  test.each([
    ['no_traffic', { hasTraffic: false }],
    ['no_edge', { dst: { namespace: 'a' } }],
    ['no_edge', { dst: { namespace: '-' } }],
    ['no_edge', { src: { namespace: '' } }],
    ['no_edge', { dst: { type: 3, name: 'partners', namespace: 'shop' } }],
    ['no_edge', { src: { type: 2, namespace: 'shop' } }],
  ] as const)('that are not traffic between two namespaces are left out as %s', (folded, flow) => {
    expect(add(flow)).toBe(folded);
    expect(fold.pending).toBe(0);
  });

  test('from more than an hour ahead are skipped, because one would expire all hashes', () => {
    expect(add({}, bucket - futureLimitSeconds)).toBe('pending');
    expect(add({ port: 81 }, bucket - futureLimitSeconds - 1)).toBe('future');
  });

  test('become a batch with edges and without facts', () => {
    add({ action: 2 });
    const [first] = fold.take();
    const batch = first && streamBatch(first, true);
    expect(batch).toMatchObject({
      startSeconds: bucket,
      streamedWhole: true,
      records: [{ edge: { srcNs: 'a', dstNs: 'b', action: 'deny' } }],
    });
    expect([...(batch?.records ?? [])][0]).not.toHaveProperty('fact');
    expect(first && streamBatch(first, false)).not.toHaveProperty('streamedWhole');
  });
});

describe('the limit', () => {
  beforeEach(() => {
    for (const port of [1, 2, 3]) add({ port });
  });

  test('drops further records, and reports the bucket of a dropped record as damaged', () => {
    expect(add({ startSeconds: bucket + 15, port: 1 })).toBe('dropped');
    expect(add({ port: 1 })).toBe('repeated');
    expect(fold.pending).toBe(3);
    expect(fold.takeDamage(bucket)).toBe(false);
    expect(fold.takeDamage(bucket + 15)).toBe(true);
    expect(fold.takeDamage(bucket + 15)).toBe(false);
  });

  test('accepts records again after some were taken', () => {
    fold.take();
    expect(add({ port: 4 })).toBe('pending');
  });

  test('includes taken records until they are merged', () => {
    fold.take();
    fold.hold(2);
    expect(add({ port: 4 })).toBe('pending');
    expect(add({ port: 5 })).toBe('dropped');
    fold.hold(0);
    expect(add({ port: 5 })).toBe('pending');
  });

  test('includes returned records', () => {
    const former = fold.take();
    add({ port: 4 });
    fold.restore(former);
    expect(fold.pending).toBe(4);
    expect(add({ port: 5 })).toBe('dropped');
  });
});

test('records that could not be merged are returned, and joined with new ones without duplicates', () => {
  add({ port: 1 });
  const former = fold.take();
  add({ port: 1 });
  add({ startSeconds: bucket + 15, port: 2 });
  fold.restore(former);
  expect(fold.pending).toBe(2);
  expect(taken()).toEqual([
    [bucket, [1]],
    [bucket + 15, [2]],
  ]);
});

describe('new edges', () => {
  const known = new Set(['a\nb\nallow']);
  const hasNew = () => fold.hasNewEdge((edge) => known.has(edgeText(edge)));

  test('are those without a row; each is looked up once', () => {
    add();
    expect(hasNew()).toBe(false);
    add({ action: 2 });
    expect(hasNew()).toBe(true);
    expect(hasNew()).toBe(false);
    add({ action: 2, startSeconds: bucket + 15 });
    expect(hasNew()).toBe(false);
  });

  test('are kept if their records are taken before they are requested', () => {
    add({ action: 2 });
    fold.take();
    expect(hasNew()).toBe(true);
  });

  test('are still distinguished after more distinct connections than the limit', () => {
    for (let port = 1; port <= 10; port += 1) {
      add({ port });
      fold.take();
      hasNew();
    }
    add({ action: 3 });
    expect(hasNew()).toBe(true);
  });
});
