import { MalformedFlow, type FlowDecoder, type FlowRecord } from '../../../src/goldmane/decoder/decode.ts';
import { bytesField, encodeFields, messageField, varintField, type Field } from './wire.ts';

/** The parts of a small record; each test changes one. */
export const KEY: readonly Field[] = [
  bytesField(1, 'web-*'),
  bytesField(2, 'shop'),
  bytesField(5, 'dbaas'),
  varintField(14, 1),
];
export const TIMES: readonly Field[] = [varintField(2, 1_500), varintField(3, 1_515)];

export function flowResult(key: readonly Field[], flow: readonly Field[] = TIMES): Buffer {
  return encodeFields([varintField(1, 7), messageField(2, [messageField(1, key), ...flow])]);
}

/** A copy of the reused record, without the additional fields of a listed one. */
export function plain({ id, key, startSeconds, endSeconds, hasTraffic }: FlowRecord): FlowRecord {
  return { id, key, startSeconds, endSeconds, hasTraffic };
}

/** A record as text, which is much faster to compare than an object. */
export function textOf({ id, key, startSeconds, endSeconds, hasTraffic }: FlowRecord): string {
  return JSON.stringify([id, startSeconds, endSeconds, hasTraffic, key]);
}

/** The outcome of decoding: the record's text, or the reason of the refusal. */
export function outcome(decoder: FlowDecoder, raw: Buffer): string {
  try {
    return textOf(decoder.decode(raw));
  } catch (error) {
    if (error instanceof MalformedFlow) return error.reason;
    throw error;
  }
}
