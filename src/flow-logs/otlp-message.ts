import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';

/** An ExportLogsServiceRequest, protobuf. */
export function encodeRequest(records: ReadableLogRecord[]): Uint8Array {
  const encoded = ProtobufLogsSerializer.serializeRequest(records);
  if (!encoded) throw new Error('the library encoded no request');
  return encoded;
}

/** The number of permanently rejected records, and the receiver's message. */
interface Success {
  rejected: number;
  message: string;
}

const json = 'application/json';
/** Published receivers send protobuf under each of these, or without a type. */
const protobufTypes: ReadonlySet<string> = new Set([
  'application/x-protobuf',
  'application/protobuf',
  'application/octet-stream',
  '',
]);

/**
 * Decodes the body of a success: an ExportLogsServiceResponse (protobuf or JSON), plain text, or an empty body.
 * Undefined for any other body.
 */
export function readSuccess(body: Buffer, contentType: string): Success | undefined {
  if (body.length === 0) return { rejected: 0, message: '' };
  const type = mediaType(contentType);
  switch (protobufTypes.has(type) ? 'protobuf' : type) {
    case 'protobuf':
      try {
        return toSuccess(ProtobufLogsSerializer.deserializeResponse(body).partialSuccess);
      } catch {
        return undefined;
      }
    case json: {
      const answer = parsed(body);
      return answer && toSuccess(fieldsOf(field(answer, 'partialSuccess', 'partial_success')));
    }
    case 'text/plain':
      return { rejected: 0, message: '' };
    default:
      return undefined;
  }
}

/** The message in the body of an error: a google.rpc.Status (protobuf or JSON) or plain text. */
export function readErrorText(body: Buffer, contentType: string): string {
  const type = mediaType(contentType);
  switch (protobufTypes.has(type) ? 'protobuf' : type) {
    case 'protobuf':
      // The message is the only text in a Status.
      return body
        .toString('utf8')
        .replaceAll(/[^\u0020-\u007e]+/g, ' ')
        .trim();
    case json:
      return textOf(parsed(body)?.['message']);
    case 'text/plain':
      return body.toString('utf8');
    default:
      return '';
  }
}

function toSuccess(partial: object | undefined): Success {
  const fields = { ...partial };
  return {
    rejected: countOf(field(fields, 'rejectedLogRecords', 'rejected_log_records')),
    message: textOf(field(fields, 'errorMessage', 'error_message')),
  };
}

/** Protobuf's JSON has the first name; some receivers write the second, that of the .proto file. */
function field(fields: Record<string, unknown>, name: string, protoName: string): unknown {
  return fields[name] ?? fields[protoName];
}

function mediaType(contentType: string): string {
  return contentType.split(';')[0]?.trim().toLowerCase() ?? '';
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    return fieldsOf(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An int64: a number, a string (in JSON), or an object of the protobuf library, which converts to its digits. */
function countOf(value: unknown): number {
  const count = Number(value ?? 0);
  return count > 0 ? Math.min(Math.floor(count), Number.MAX_SAFE_INTEGER) : 0;
}
