import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** The messages of Goldmane's API: proto/goldmane.proto, the nodes' part in collector.proto, and records.proto. */
const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  fileURLToPath(
    new URL(target === 'goldmane.proto' ? '../../proto/goldmane.proto' : target, import.meta.url),
  );
root.loadSync(['collector.proto', 'records.proto'], { keepCase: true });

/** Encodes messages of this type. Fields are named as in the .proto file, enumerations are numbers; zero and empty values are omitted. */
export function encoderOf(type: string): (message: object) => Buffer {
  const message = root.lookupType(`goldmane.${type}`);
  return (fields) => Buffer.from(message.encode(fields).finish());
}

/**
 * Decodes to plain values: defaults filled in, enumerations and int64 as numbers. Throws if the bytes are not such a
 * message.
 */
export function decodeMessage(type: string, bytes: Buffer): Record<string, unknown> {
  const message = root.lookupType(`goldmane.${type}`);
  return message.toObject(message.decode(bytes), { defaults: true, longs: Number, arrays: true });
}

/** The numbers of all fields in the message, known or unknown. */
export function fieldNumbersOf(bytes: Buffer): number[] {
  const reader = protobuf.Reader.create(bytes);
  const numbers: number[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    numbers.push(tag >>> 3);
    reader.skipType(tag & 7);
  }
  return numbers;
}
