import { describe, expect, test } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { foldList, type FoldSettings } from '../../../src/trail/fold/fold-list.ts';
import { encodeListAnswer } from '../../support/capture.ts';
import { encodeFlow, type TestFlow } from './flow-messages.ts';
import { runToEnd } from '../../support/run-to-end.ts';

const startSeconds = 1_800_000_000;
const inMonitoring: FoldSettings = { label: 'service-identity', namespaces: new Set(['monitoring']) };

function fold(flows: readonly Omit<TestFlow, 'startSeconds'>[], settings = inMonitoring) {
  const raw = encodeListAnswer(flows.map((flow) => encodeFlow({ startSeconds, ...flow })));
  const answer = runToEnd(foldList(new FlowDecoder(), raw, startSeconds, settings));
  return { ...answer, records: [...answer.records] };
}

function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new Error(`there are ${items.length}, not one`);
  return item;
}

test('a response with more records than the limit is rejected before any is decoded', () => {
  const raw = encodeListAnswer([1, 2, 3].map((port) => encodeFlow({ startSeconds, port })));
  const limited = (maxRecords: number) => () =>
    runToEnd(foldList(new FlowDecoder(), raw, startSeconds, { ...inMonitoring, maxRecords }));
  expect(limited(2)).toThrow(expect.objectContaining({ kind: 'response_too_large' }));
  expect(limited(3)().count).toBe(3);
});

test('other work runs after a few large records, as it does after thousands of small ones', () => {
  const policies = Array.from({ length: 1_000 }, (_, n) => `policy-${n}-${'x'.repeat(200)}`);
  const raw = encodeListAnswer(
    Array.from({ length: 20 }, (_, n) =>
      encodeFlow({ startSeconds, port: n, policies: [...policies, `${n}`] }),
    ),
  );
  const steps = foldList(new FlowDecoder(), raw, startSeconds, inMonitoring);
  let pauses = 0;
  while (steps.next().done !== true) pauses += 1;
  expect(pauses).toBeGreaterThanOrEqual(5);
});

describe('a response', () => {
  test('with a record of another bucket is rejected', () => {
    const raw = encodeListAnswer([
      encodeFlow({ startSeconds }),
      encodeFlow({ startSeconds: startSeconds + 15 }),
    ]);
    expect(() => runToEnd(foldList(new FlowDecoder(), raw, startSeconds, inMonitoring))).toThrow(
      expect.objectContaining({ kind: 'invalid_list_response' }),
    );
    expect(() => runToEnd(foldList(new FlowDecoder(), raw, startSeconds, inMonitoring))).toThrow(
      /2027-01-15T08:00:00\.000Z/,
    );
  });

  test.each([0, 1, 3])('that states %i records but contains 2 is rejected', (announced) => {
    const raw = encodeListAnswer(
      [encodeFlow({ startSeconds }), encodeFlow({ startSeconds, port: 81 })],
      announced,
    );
    expect(() => runToEnd(foldList(new FlowDecoder(), raw, startSeconds, inMonitoring))).toThrow(
      expect.objectContaining({ kind: 'invalid_list_response' }),
    );
  });

  test('with a malformed record is read without it, and the record is reported', () => {
    const raw = encodeListAnswer([
      encodeFlow({ startSeconds: startSeconds + 7 }),
      encodeFlow({ startSeconds }),
    ]);
    const answer = runToEnd(foldList(new FlowDecoder(), raw, startSeconds, inMonitoring));
    expect(answer).toMatchObject({ count: 2, refused: 1 });
    expect([...answer.records]).toMatchObject([{ edge: { srcNs: 'a', dstNs: 'b' } }]);
    expect(answer.malformed.map(({ reason }) => reason)).toEqual(['bad_times']);
  });

  test('may be empty', () => {
    expect(fold([])).toMatchObject({ count: 0, records: [], malformed: [], noTraffic: 0 });
  });
});

describe('service identity', () => {
  const labelled = {
    src: {
      namespace: 'monitoring',
      labels: ['app=x', 'service-identity=prom=etheus', 'service-identity-2=no'],
    },
    dst: { namespace: 'web', labels: ['service-identity=shop'] },
  };

  test('is the value after the label’s first =, in the configured namespaces', () => {
    const { fact } = only(fold([labelled]).records);
    expect(fact?.src).toEqual({ kind: 'workload', ns: 'monitoring', identity: 'prom=etheus' });
    expect(fact?.dst).toEqual({ kind: 'workload', ns: 'web', identity: '' });
  });

  test('applies to all namespaces with *', () => {
    const { fact } = only(fold([labelled], { label: 'service-identity', namespaces: 'all' }).records);
    expect(fact?.dst.identity).toBe('shop');
  });

  test('is taken from the configured label', () => {
    const { fact } = only(fold([labelled], { label: 'app', namespaces: 'all' }).records);
    expect(fact).toMatchObject({ src: { identity: 'x' }, dst: { identity: '' } });
  });

  test('is absent without the label', () => {
    const { fact } = only(fold([{ src: { namespace: 'monitoring', labels: ['app=x'] } }]).records);
    expect(fact?.src.identity).toBe('');
  });
});

describe('ends', () => {
  test('that are networks or network sets are facts with their name, never edges', () => {
    const { records } = fold([
      { dst: { type: 4, name: 'pub', namespace: '-' } },
      { dst: { type: 3, name: 'cdn', namespace: '-' } },
    ]);
    expect(records.map(({ edge }) => edge)).toEqual([undefined, undefined]);
    expect(records.map(({ fact }) => fact?.dst)).toEqual([
      { kind: 'network', ns: '', identity: 'pub' },
      { kind: 'networkset', ns: '', identity: 'cdn' },
    ]);
  });

  test.each(['src', 'dst'] as const)(
    'with a network set in a namespace as %s are a fact but no edge',
    (side) => {
      const { edge, fact } = only(
        fold([{ [side]: { type: 3, name: 'partners', namespace: 'shop' } }]).records,
      );
      expect(edge).toBeUndefined();
      expect(fact?.[side]).toEqual({ kind: 'networkset', ns: 'shop', identity: 'partners' });
    },
  );

  test.each([0, 2, 3, 4])('of type %i with a namespace are no edge', (type) => {
    expect(only(fold([{ dst: { type, namespace: 'shop' } }]).records)).not.toHaveProperty('edge');
  });

  test('that are hosts are facts without their name, because nodes are replaced', () => {
    const { edge, fact } = only(fold([{ src: { type: 2, name: 'node-7', namespace: '-' } }]).records);
    expect(edge).toBeUndefined();
    expect(fact?.src).toEqual({ kind: 'host', ns: '', identity: '' });
  });

  test.each(['', '-'])('without a namespace (%j) are no edge', (namespace) => {
    expect(only(fold([{ dst: { namespace } }]).records)).not.toHaveProperty('edge');
  });

  test('in one namespace are a fact but no edge', () => {
    const record = only(fold([{ dst: { namespace: 'a' } }]).records);
    expect(record).not.toHaveProperty('edge');
    expect(record.fact).toMatchObject({ src: { ns: 'a' }, dst: { ns: 'a' } });
  });
});

describe('records', () => {
  test('contain port, protocol, reporter and action', () => {
    const { fact, edge } = only(fold([{ port: 0, protocol: 'icmp', reporter: 2, action: 2 }]).records);
    expect(fact).toMatchObject({ port: 0, protocol: 'icmp', reporter: 'dst', action: 'deny' });
    expect(edge?.action).toBe('deny');
  });

  test.each([
    [3, 'pass'],
    [0, 'unspecified'],
    [77, 'unspecified'],
  ])('with action %i are stored as %s', (action, name) => {
    expect(only(fold([{ action }]).records).edge?.action).toBe(name);
  });

  test('without traffic are only counted; their ids still identify the server run', () => {
    const answer = fold([{ hasTraffic: false, id: 9 }]);
    expect(answer).toMatchObject({ records: [], noTraffic: 1, count: 1 });
    expect([...answer.ids.values()]).toEqual([[9]]);
  });

  test('that differ only in the order of policy hits are one record, with both ids', () => {
    const answer = fold([
      { id: 1, policies: ['p', 'q'] },
      { id: 2, policies: ['q', 'p'] },
    ]);
    expect(answer.records).toHaveLength(1);
    expect([...answer.ids.values()]).toEqual([[1, 2]]);
  });

  test('with different policy traces are one record with both traces, in a fixed order', () => {
    const flows = [
      { id: 1, policies: ['p'] },
      { id: 2, policies: ['q'] },
    ];
    const records = fold(flows).records;
    const reversed = fold(flows.toReversed()).records;
    expect(new Set(records.map(({ key }) => key.content)).size).toBe(1);
    expect(new Set(records.map(({ trace }) => trace?.text)).size).toBe(2);
    expect(records).toEqual(reversed);
  });
});
