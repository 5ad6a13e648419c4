import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { readCapture } from '../../support/capture.ts';
import { flowResults } from './messages.ts';
import { flowResult, KEY, plain, textOf, TIMES } from './records.ts';
import { referenceRecord } from './reference.ts';
import { bytesField, encodeFields, messageField, varintField } from './wire.ts';

vi.setConfig({ testTimeout: 60_000 });
const capture = readCapture();

describe('a record equals that of the generated decoder', () => {
  test('for each record of the capture, with a new key and a known key', () => {
    const decoder = new FlowDecoder();
    const expected = capture.map((raw) => textOf(referenceRecord(raw)));
    for (let round = 0; round < 2; round++)
      expect(capture.map((raw) => textOf(decoder.decode(raw)))).toEqual(expected);
  });

  test('for any order of fields, repeated, unknown and default ones', () => {
    const decoder = new FlowDecoder({ internedBytes: 20_000 });
    fc.assert(
      fc.property(flowResults, (raw) => {
        expect(plain(decoder.decode(raw))).toEqual(referenceRecord(raw));
      }),
      { numRuns: 500 },
    );
  });

  test('if an id is reused for another key', () => {
    const decoder = new FlowDecoder();
    decoder.decode(flowResult(KEY));
    const other = flowResult([...KEY.slice(0, 2), bytesField(5, 'redis'), varintField(14, 1)]);
    expect(plain(decoder.decode(other))).toEqual(referenceRecord(other));
  });

  test('if a message is sent in several parts', () => {
    const pieces = encodeFields([
      messageField(2, [messageField(1, KEY.slice(0, 2)), varintField(2, 1_500)]),
      varintField(1, 7),
      messageField(2, [messageField(1, KEY.slice(2)), varintField(3, 1_515)]),
    ]);
    expect(plain(new FlowDecoder().decode(pieces))).toEqual(referenceRecord(flowResult(KEY)));
  });
});

describe('traffic', () => {
  test.each([6, 7, 8, 9, 10, 11, 12])('counter %i alone is traffic, even if negative', (number) => {
    const decoder = new FlowDecoder();
    expect(decoder.decode(flowResult(KEY, [...TIMES, varintField(number, 1)])).hasTraffic).toBe(true);
    expect(decoder.decode(flowResult(KEY, [...TIMES, varintField(number, -1)])).hasTraffic).toBe(true);
    expect(decoder.decode(flowResult(KEY, [...TIMES, varintField(number, 1n << 56n)])).hasTraffic).toBe(true);
  });

  test('absent or zero counters are not traffic', () => {
    const decoder = new FlowDecoder();
    expect(decoder.decode(flowResult(KEY)).hasTraffic).toBe(false);
    expect(
      decoder.decode(flowResult(KEY, [...TIMES, varintField(6, 0), varintField(12, 0)])).hasTraffic,
    ).toBe(false);
    expect(decoder.decode(flowResult(KEY, [...TIMES, varintField(6, 5), varintField(6, 0)])).hasTraffic).toBe(
      false,
    );
  });
});
