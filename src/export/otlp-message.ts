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

const protobuf = 'application/x-protobuf';
const json = 'application/json';

/**
 * Decodes the body of a success: an ExportLogsServiceResponse (protobuf or JSON), plain text, or an empty body.
 * Undefined for any other body.
 */
export function readSuccess(body: Buffer, contentType: string): Success | undefined {
  if (body.length === 0) return { rejected: 0, message: '' };
  switch (mediaType(contentType)) {
    case protobuf:
      try {
        return toSuccess(ProtobufLogsSerializer.deserializeResponse(body).partialSuccess);
      } catch {
        return undefined;
      }
    case json: {
      const answer = parsed(body);
      return answer && toSuccess(fieldsOf(answer['partialSuccess']));
    }
    case 'text/plain':
      return { rejected: 0, message: body.toString('utf8') };
    default:
      return undefined;
  }
}

/** The message in the body of an error: a google.rpc.Status (protobuf or JSON) or plain text. */
export function readErrorText(body: Buffer, contentType: string): string {
  switch (mediaType(contentType)) {
    case protobuf:
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

function toSuccess(partial: { rejectedLogRecords?: unknown; errorMessage?: unknown } | undefined): Success {
  return { rejected: countOf(partial?.rejectedLogRecords), message: textOf(partial?.errorMessage) };
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
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
