import { describe, expect, test } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { foldList, type FoldSettings } from '../../../src/trail/fold-list.ts';
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

test('an answer with more records than the limit is refused before any record is decoded', () => {
  const raw = encodeListAnswer([1, 2, 3].map((port) => encodeFlow({ startSeconds, port })));
  const limited = (maxRecords: number) => () =>
    runToEnd(foldList(new FlowDecoder(), raw, startSeconds, { ...inMonitoring, maxRecords }));
  expect(limited(2)).toThrow(expect.objectContaining({ kind: 'answer_too_large' }));
  expect(limited(3)().count).toBe(3);
});

describe('an answer that proves nothing is refused', () => {
  test('when it contains a record of another bucket', () => {
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

  test.each([0, 1, 3])('when it announces %i records but contains 2', (announced) => {
    const raw = encodeListAnswer(
      [encodeFlow({ startSeconds }), encodeFlow({ startSeconds, port: 81 })],
      announced,
    );
    expect(() => runToEnd(foldList(new FlowDecoder(), raw, startSeconds, inMonitoring))).toThrow(
      expect.objectContaining({ kind: 'invalid_list_response' }),
    );
  });

  test('skips and reports a malformed record and reads the rest', () => {
    const raw = encodeListAnswer([
      encodeFlow({ startSeconds: startSeconds + 7 }),
      encodeFlow({ startSeconds }),
    ]);
    const answer = runToEnd(foldList(new FlowDecoder(), raw, startSeconds, inMonitoring));
    expect(answer).toMatchObject({ count: 2, refused: 1 });
    expect([...answer.records]).toMatchObject([{ edge: { srcNs: 'a', dstNs: 'b' } }]);
    expect(answer.malformed.map(({ reason }) => reason)).toEqual(['bad_times']);
  });

  test('and an empty answer is an answer', () => {
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

  test('is the label’s value, split at the first =, in the namespaces where it is looked at', () => {
    const { fact } = only(fold([labelled]).records);
    expect(fact?.src).toEqual({ kind: 'workload', ns: 'monitoring', identity: 'prom=etheus' });
    expect(fact?.dst).toEqual({ kind: 'workload', ns: 'web', identity: '' });
  });

  test('is looked at everywhere with *', () => {
    const { fact } = only(fold([labelled], { label: 'service-identity', namespaces: 'all' }).records);
    expect(fact?.dst.identity).toBe('shop');
  });

  test('is taken from another label where that is set', () => {
    const { fact } = only(fold([labelled], { label: 'app', namespaces: 'all' }).records);
    expect(fact).toMatchObject({ src: { identity: 'x' }, dst: { identity: '' } });
  });

  test('is absent without the label', () => {
    const { fact } = only(fold([{ src: { namespace: 'monitoring', labels: ['app=x'] } }]).records);
    expect(fact?.src.identity).toBe('');
  });
});

describe('ends', () => {
  test('that are networks or network sets are facts by their name, never edges', () => {
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
    'an %s that is a network set with a namespace is a fact, and no edge',
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

  test('that are hosts are facts without their name: nodes come and go', () => {
    const { edge, fact } = only(fold([{ src: { type: 2, name: 'node-7', namespace: '-' } }]).records);
    expect(edge).toBeUndefined();
    expect(fact?.src).toEqual({ kind: 'host', ns: '', identity: '' });
  });

  test.each(['', '-'])('without a namespace (%j) are no edge', (namespace) => {
    expect(only(fold([{ dst: { namespace } }]).records)).not.toHaveProperty('edge');
  });

  test('in one namespace are a fact, and no edge', () => {
    const record = only(fold([{ dst: { namespace: 'a' } }]).records);
    expect(record).not.toHaveProperty('edge');
    expect(record.fact).toMatchObject({ src: { ns: 'a' }, dst: { ns: 'a' } });
  });
});

describe('records', () => {
  test('say port, protocol, reporter and action', () => {
    const { fact, edge } = only(fold([{ port: 0, protocol: 'icmp', reporter: 2, action: 2 }]).records);
    expect(fact).toMatchObject({ port: 0, protocol: 'icmp', reporter: 'dst', action: 'deny' });
    expect(edge?.action).toBe('deny');
  });

  test.each([
    [3, 'pass'],
    [0, 'unspecified'],
    [77, 'unspecified'],
  ])('with action %i are kept as %s', (action, name) => {
    expect(only(fold([{ action }]).records).edge?.action).toBe(name);
  });

  test('without traffic are only counted; their ids still identify the run of the server', () => {
    const answer = fold([{ hasTraffic: false, id: 9 }]);
    expect(answer).toMatchObject({ records: [], noTraffic: 1, count: 1 });
    expect([...answer.ids.values()]).toEqual([[9]]);
  });

  test('that differ only in the order of their policies’ hits are one record, with both ids', () => {
    const answer = fold([
      { id: 1, policies: ['p', 'q'] },
      { id: 2, policies: ['q', 'p'] },
    ]);
    expect(answer.records).toHaveLength(1);
    expect([...answer.ids.values()]).toEqual([[1, 2]]);
  });

  test('that were decided by different policies are one record with both traces as evidence, in one order', () => {
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
