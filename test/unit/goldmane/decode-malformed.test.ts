import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { FlowDecoder, MalformedFlow, type MalformedReason } from '../../../src/goldmane/decoder/decode.ts';
import { encodeListAnswer, readCapture } from '../../support/capture.ts';
import { flowResults } from './messages.ts';
import { flowResult, KEY, outcome, plain, textOf, TIMES } from './records.ts';
import { lazyReferenceRecord, referenceRecord } from './reference.ts';
import { bytesField, encodeFields, encodeVarint, messageField, varintField } from './wire.ts';
import { runToEnd } from '../../support/run-to-end.ts';

vi.setConfig({ testTimeout: 60_000 });
const capture = readCapture();

describe('malformed records are rejected with a reason', () => {
  const longName = 'n'.repeat(254);
  test.each<[string, Buffer, MalformedReason]>([
    ['no flow', encodeFields([varintField(1, 7)]), 'no_key'],
    ['nothing at all', Buffer.alloc(0), 'no_key'],
    ['a flow without a key', encodeFields([messageField(2, TIMES)]), 'no_key'],
    ['an empty key', flowResult([]), 'no_key'],
    [
      'a key with empty fields only',
      flowResult([bytesField(1, ''), varintField(7, 0), varintField(14, 0)]),
      'no_key',
    ],
    ['a key with policies only', flowResult([messageField(15, [])]), 'no_key'],
    ['a key with unknown fields only', flowResult([varintField(99, 1)]), 'no_key'],
    ['a namespace of 10 kB', flowResult([bytesField(2, 'n'.repeat(10_240))]), 'name_too_long'],
    ['a protocol of 254 bytes', flowResult([...KEY, bytesField(12, longName)]), 'name_too_long'],
    ['a network set of 254 bytes', flowResult([bytesField(1, longName), varintField(3, 3)]), 'name_too_long'],
    ['a network set with NUL', flowResult([bytesField(4, 'a\0b'), varintField(6, 3)]), 'bad_name'],
    ['a pod name that is not UTF-8', flowResult([bytesField(1, Buffer.from([0xff]))]), 'bad_name'],
    ['a name with a newline', flowResult([bytesField(2, 'a\nb')]), 'bad_name'],
    ['a name with DEL', flowResult([bytesField(2, 'a\u007fb')]), 'bad_name'],
    ['a name with a C1 control', flowResult([bytesField(2, 'a\u0085b')]), 'bad_name'],
    ['a name that is not UTF-8', flowResult([bytesField(2, Buffer.from([0x61, 0xff]))]), 'bad_name'],
    ['a port above 65535', flowResult([...KEY, varintField(7, 65_536)]), 'bad_port'],
    ['a port below 0', flowResult([...KEY, varintField(7, -1)]), 'bad_port'],
    ['a huge service port', flowResult([...KEY, varintField(11, 1n << 40n)]), 'bad_port'],
    ['no times', flowResult(KEY, []), 'bad_times'],
    ['a start between buckets', flowResult(KEY, [varintField(2, 1_501), varintField(3, 1_516)]), 'bad_times'],
    ['a start of zero', flowResult(KEY, [varintField(3, 15)]), 'bad_times'],
    ['a start below zero', flowResult(KEY, [varintField(2, -15), varintField(3, 0)]), 'bad_times'],
    [
      'an end two buckets later',
      flowResult(KEY, [varintField(2, 1_500), varintField(3, 1_530)]),
      'bad_times',
    ],
    [
      'a start in the year 10000',
      flowResult(KEY, [varintField(2, 253_402_300_800), varintField(3, 253_402_300_815)]),
      'bad_times',
    ],
    ['a name as a number', flowResult([...KEY, varintField(1, 5)]), 'bad_wire'],
    ['a port as text', flowResult([...KEY, bytesField(7, '80')]), 'bad_wire'],
    ['policies as a number', flowResult([...KEY, varintField(15, 5)]), 'bad_wire'],
    ['a label as a number', flowResult(KEY, [...TIMES, varintField(4, 5)]), 'bad_wire'],
    ['a counter as text', flowResult(KEY, [...TIMES, bytesField(6, '5')]), 'bad_wire'],
    ['an id as text', encodeFields([bytesField(1, '7')]), 'bad_wire'],
    ['field number 0', Buffer.from([0x00, 0x00]), 'bad_wire'],
    ['wire type 6', Buffer.from([0x86, 0x01, 0x00]), 'bad_wire'],
    ['an end of a group without a start', Buffer.from([0x84, 0x01]), 'bad_wire'],
    ['a group without an end', Buffer.from([0x83, 0x01]), 'truncated'],
    ['a varint of eleven bytes', Buffer.from([0x08, ...Array<number>(10).fill(0x80), 0x01]), 'bad_wire'],
    ['a varint of more than 64 bits', Buffer.from([0x08, ...Array<number>(9).fill(0x80), 0x02]), 'bad_wire'],
    [
      'a length of more than 32 bits',
      Buffer.concat([Buffer.from([0x12]), encodeVarint(1n << 32n)]),
      'bad_wire',
    ],
    ['a truncated fixed32', Buffer.from([0x85, 0x01, 1, 2, 3]), 'truncated'],
    ['a truncated fixed64', Buffer.from([0x81, 0x01, 1, 2, 3, 4, 5, 6, 7]), 'truncated'],
    ['a length beyond the end', Buffer.from([0x12, 0x05, 0x0a]), 'truncated'],
    ['a length of 4 GB', Buffer.concat([Buffer.from([0x12]), encodeVarint(0xffff_ffffn)]), 'truncated'],
  ])('%s', (_what, raw, reason) => {
    expect(outcome(new FlowDecoder(), raw)).toBe(reason);
  });

  test('the message does not quote the record', () => {
    expect(() => new FlowDecoder().decode(flowResult([bytesField(2, 'secret\n')]))).toThrow(
      /^source_namespace has control/,
    );
  });

  test('a namespace of exactly 253 bytes is accepted', () => {
    const raw = flowResult([bytesField(2, 'n'.repeat(253))]);
    expect(plain(new FlowDecoder().decode(raw))).toEqual(referenceRecord(raw));
  });

  // Kubernetes accepts a generateName of 253 bytes; Felix appends `*`.
  test.each([1, 4, 8, 9, 10])('field %i, which is never stored, has no length limit', (field) => {
    for (const length of [253, 254, 255, 5_000, 200_000]) {
      const raw = flowResult([bytesField(field, `${'n'.repeat(length - 1)}*`)]);
      expect(plain(new FlowDecoder().decode(raw))).toEqual(referenceRecord(raw));
    }
  });

  test.each([1, 4, 8, 9, 10])('field %i, which is never stored, may contain control characters', (field) => {
    const raw = flowResult([bytesField(field, 'a\0b\n')]);
    expect(plain(new FlowDecoder().decode(raw))).toEqual(referenceRecord(raw));
  });

  test('a valid record after a malformed one is decoded as usual', () => {
    const decoder = new FlowDecoder();
    expect(() => decoder.decode(flowResult([bytesField(2, 'a\0')]))).toThrow(MalformedFlow);
    expect(plain(decoder.decode(flowResult(KEY)))).toEqual(referenceRecord(flowResult(KEY)));
  });
});

describe('damaged records', () => {
  const samples = capture.filter((_, index) => index % 997 === 0);

  test('a record truncated at any position is rejected', () => {
    const decoder = new FlowDecoder();
    for (const raw of samples)
      for (let length = 0; length < raw.length; length++)
        expect(['truncated', 'no_key']).toContain(outcome(decoder, raw.subarray(0, length)));
  });

  test('bytes beyond the end of a record are not read', () => {
    const decoder = new FlowDecoder();
    for (const raw of [...samples, ...fc.sample(flowResults, { numRuns: 20, seed: 1 })])
      for (let length = 0; length < raw.length; length++) {
        const cut = raw.subarray(0, length);
        expect(listedOutcome(decoder, cut, raw.subarray(length))).toBe(outcome(decoder, cut));
      }
  });

  test('random bytes cause only MalformedFlow', () => {
    const decoder = new FlowDecoder({ internedBytes: 4_000 });
    const damaged = fc
      .tuple(
        fc.constantFrom(...capture.slice(0, 200)),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      )
      .map(([raw, changes]) => {
        const copy = Buffer.from(raw);
        for (const [at, byte] of changes) copy[at % copy.length] = byte;
        return copy;
      });
    const random = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (raw) => {
        outcome(decoder, raw);
        const { count } = runToEnd(
          decoder.decodeList(
            encodeListAnswer([raw]),
            (record) => [record.trace, record.sourceLabel('app'), record.destLabel('app')],
            () => undefined,
            Number.POSITIVE_INFINITY,
          ),
        );
        expect(count).toBe(1);
      }),
      { numRuns: 5_000 },
    );
  });
});

/** The outcome for a record in a `List` response that is followed by `behind` in memory. */
function listedOutcome(decoder: FlowDecoder, record: Buffer, behind: Buffer): string | undefined {
  const answer = Buffer.concat([encodeFields([bytesField(2, record)]), behind]);
  const outcomes: string[] = [];
  try {
    runToEnd(
      decoder.decodeList(
        answer,
        (record) => outcomes.push(textOf(record)),
        ({ reason }) => outcomes.push(reason),
        Number.POSITIVE_INFINITY,
      ),
    );
  } catch (error) {
    if (!(error instanceof MalformedFlow)) throw error;
  }
  return outcomes[0];
}

test('an embedded message in two occurrences is accepted only if each of them ends at the end of a field', () => {
  const decoder = new FlowDecoder({ internedBytes: 200_000 });
  const key = encodeFields([...KEY, varintField(7, 5_432)]);
  const flow = encodeFields([...TIMES, bytesField(1, key)]);
  const inTwo = (field: number, message: Buffer, at: number) => [
    bytesField(field, message.subarray(0, at)),
    bytesField(field, message.subarray(at)),
  ];
  const records = [
    ...Array.from({ length: flow.length + 1 }, (_, at) => encodeFields(inTwo(2, flow, at))),
    ...Array.from({ length: key.length + 1 }, (_, at) =>
      encodeFields([messageField(2, [...TIMES, ...inTwo(1, key, at)])]),
    ),
  ];
  let accepted = 0;
  for (const raw of records) {
    const ours = outcome(decoder, raw);
    let theirs: string | undefined;
    try {
      theirs = textOf(lazyReferenceRecord(raw));
    } catch {
      expect(ours).not.toMatch(/^\[/);
      continue;
    }
    accepted += 1;
    expect(ours).toBe(theirs);
  }
  expect(accepted).toBeGreaterThan(4);
  expect(accepted).toBeLessThan(records.length);
});
