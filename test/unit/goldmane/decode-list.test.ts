import { expect, test } from 'vitest';
import { FlowDecoder, MalformedFlow, type ListedRecord } from '../../../src/goldmane/decoder/decode.ts';
import { encodeListAnswer, readCapture } from '../../support/capture.ts';
import { plain } from './records.ts';
import { referenceDecode, referenceRecord } from './reference.ts';
import { bytesField, encodeFields, messageField, varintField, type Field } from './wire.ts';
import { runToEnd } from '../../support/run-to-end.ts';

const capture = readCapture().filter((_, index) => index % 7 === 0);
const EMPTY_TRACE = '{"enforced":[],"pending":[]}';

function listedResult(flow: readonly Field[]): Buffer {
  const key = [bytesField(2, 'shop')];
  return encodeFields([
    messageField(2, [messageField(1, key), varintField(2, 1_500), varintField(3, 1_515), ...flow]),
  ]);
}

function list<Seen>(answer: Buffer, see: (record: ListedRecord) => Seen, decoder = new FlowDecoder()) {
  const seen: Seen[] = [];
  const malformed: MalformedFlow[] = [];
  const summary = runToEnd(
    decoder.decodeList(
      answer,
      (record) => seen.push(see(record)),
      (error) => malformed.push(error),
      Number.POSITIVE_INFINITY,
    ),
  );
  return { ...summary, seen, malformed };
}

function labelOf(labels: readonly string[], name: string): string | undefined {
  return labels.find((label) => label.startsWith(`${name}=`))?.slice(name.length + 1);
}

test('a response is decoded to the same records, in the same order, as by the generated decoder', () => {
  const { seen, malformed, count, totalResults } = list(encodeListAnswer(capture), plain);
  expect({ count, totalResults, malformed }).toEqual({
    count: capture.length,
    totalResults: capture.length,
    malformed: [],
  });
  expect(seen).toEqual(capture.map(referenceRecord));
});

test('labels of both ends are found by their exact name', () => {
  const names = [
    'service-identity',
    'app.kubernetes.io/name',
    'tier',
    'service',
    'pod-template-hash',
    'absent',
  ];
  const { seen } = list(encodeListAnswer(capture), (record) =>
    names.map((name) => [record.sourceLabel(name), record.destLabel(name)]),
  );
  const expected = capture.map((raw) => {
    const { flow } = referenceDecode(raw);
    return names.map((name) => [labelOf(flow.sourceLabels, name), labelOf(flow.destLabels, name)]);
  });
  expect(seen).toEqual(expected);
  expect(seen.flat(2).filter((value) => value !== undefined).length).toBeGreaterThan(1_000);
});

test('a label is split at the first =, and its value may be empty', () => {
  const answer = encodeListAnswer([
    listedResult([bytesField(4, 'a=b=c'), bytesField(5, 'a='), bytesField(4, 'a=z')]),
  ]);
  expect(list(answer, (record) => [record.sourceLabel('a'), record.destLabel('a')]).seen).toEqual([
    ['b=c', ''],
  ]);
});

test('labels of the two ends are not confused, in any field order', () => {
  const flow = [
    bytesField(5, 'x=dest'),
    varintField(6, 1),
    bytesField(4, 'x=source'),
    bytesField(5, 'y=dest'),
  ];
  const { seen } = list(encodeListAnswer([listedResult(flow)]), (record) => [
    record.sourceLabel('x'),
    record.destLabel('x'),
    record.sourceLabel('y'),
    record.destLabel('y'),
  ]);
  expect(seen).toEqual([['source', 'dest', undefined, 'dest']]);
});

test.each([
  ['with NUL', 'x=a\0'],
  ['longer than a name', `x=${'a'.repeat(254)}`],
])('a label value %s counts as absent', (_what, label) => {
  const { seen, malformed } = list(encodeListAnswer([listedResult([bytesField(4, label)])]), (record) =>
    record.sourceLabel('x'),
  );
  expect({ seen, malformed }).toEqual({ seen: [undefined], malformed: [] });
});

test('a malformed record is reported and counted, and the others are decoded', () => {
  const [first, second] = capture;
  if (!first || !second) throw new Error('the capture is empty');
  const cut = first.subarray(0, first.length - 3);
  const { seen, malformed, count, totalResults } = list(encodeListAnswer([first, cut, second]), plain);
  expect(seen).toEqual([referenceRecord(first), referenceRecord(second)]);
  expect(malformed.map(({ reason }) => reason)).toEqual(['truncated']);
  expect({ count, totalResults }).toEqual({ count: 3, totalResults: 3 });
});

test('an empty response has no records', () => {
  expect(list(Buffer.alloc(0), plain)).toEqual({ seen: [], malformed: [], count: 0, totalResults: 0 });
});

test('meta may come last, and unknown fields anywhere', () => {
  const [record] = capture;
  if (!record) throw new Error('the capture is empty');
  const answer = encodeFields([
    varintField(9, 5),
    bytesField(2, record),
    messageField(1, [varintField(1, 1), varintField(7, 1), varintField(2, 12_345)]),
  ]);
  expect(list(answer, plain)).toMatchObject({ count: 1, totalResults: 12_345 });
});

test('a truncated response throws, or has fewer records than it states', () => {
  const answer = encodeListAnswer(capture.slice(0, 3));
  const taken = Array.from({ length: answer.length + 1 }, (_, length) => length).filter((length) =>
    isWhole(answer.subarray(0, length)),
  );
  expect(taken).toEqual([0, answer.length]);
});

function isWhole(answer: Buffer): boolean {
  try {
    const { count, totalResults } = list(answer, plain);
    return count === totalResults;
  } catch (error) {
    if (error instanceof MalformedFlow) return false;
    throw error;
  }
}

test('an error of the visitor is passed on', () => {
  const fail = () =>
    list(encodeListAnswer(capture.slice(0, 1)), () => {
      throw new TypeError('mine');
    });
  expect(fail).toThrow(TypeError);
});

test('the trace belongs to the record, whether its key is known or new', () => {
  const decoder = new FlowDecoder();
  const policies = messageField(15, [
    messageField(1, [varintField(1, 9), bytesField(3, 'kns.shop'), varintField(5, 1)]),
  ]);
  const withTrace = (id: number, key: readonly Field[]) =>
    encodeFields([
      varintField(1, id),
      messageField(2, [messageField(1, key), varintField(2, 1_500), varintField(3, 1_515)]),
    ]);
  const answer = encodeListAnswer([
    withTrace(1, [bytesField(2, 'shop'), policies]),
    withTrace(2, [bytesField(2, 'shop')]),
    withTrace(1, [bytesField(2, 'shop'), policies]),
    // Policies precede the identity fields.
    withTrace(3, [policies, bytesField(2, 'shop')]),
  ]);
  const text = '{"enforced":[{"k":"Profile","n":"kns.shop","a":"allow","r":0}],"pending":[]}';
  for (let round = 0; round < 2; round++) {
    const { seen } = list(answer, ({ key, trace }) => ({ key, trace }), decoder);
    expect(seen.map(({ trace }) => trace.text)).toEqual([text, EMPTY_TRACE, text, text]);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
  }
});

test('a malformed trace does not invalidate its record', () => {
  const key = [bytesField(2, 'shop'), bytesField(15, Buffer.from([0x0a, 0x05]))];
  const raw = encodeFields([
    messageField(2, [messageField(1, key), varintField(2, 1_500), varintField(3, 1_515)]),
  ]);
  const { seen, malformed } = list(encodeListAnswer([raw]), ({ trace }) => trace.text);
  expect({ seen, malformed }).toEqual({
    seen: ['{"enforced":[],"pending":[],"unreadable":true}'],
    malformed: [],
  });
});
