import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gunzipSync } from 'node:zlib';
import generated from '@opentelemetry/otlp-transformer/build/src/generated/root.js';
import type { Type } from 'protobufjs';
import { z } from 'zod';
import { listen } from '../../dev/ports.ts';

const int64 = z.string().transform(Number);
const anyValue = z.looseObject({
  stringValue: z.string().optional(),
  intValue: int64.optional(),
  arrayValue: z.looseObject({ values: z.array(z.looseObject({ stringValue: z.string() })) }).optional(),
});
const attribute = z.looseObject({ key: z.string(), value: anyValue });
const request = z.looseObject({
  resourceLogs: z.array(
    z.looseObject({
      resource: z.looseObject({ attributes: z.array(attribute) }),
      scopeLogs: z.array(
        z.looseObject({
          logRecords: z.array(
            z.looseObject({
              timeUnixNano: int64,
              severityText: z.string(),
              body: anyValue,
              attributes: z.array(attribute),
            }),
          ),
        }),
      ),
    }),
  ),
});

interface ReceivedLog {
  id: string;
  body: string;
  severity: string;
  attributes: Record<string, string | number | string[]>;
  resource: Record<string, string | number | string[]>;
}

/** Answers one request; undefined: the receiver accepts it. */
export type Reaction = (
  logs: ReceivedLog[],
  response: ServerResponse,
  request: IncomingMessage,
) => 'answered' | 'hangs' | undefined;

/** Receives OTLP/HTTP log requests and stores the accepted records. */
export interface LogReceiver {
  url: string;
  port: number;
  accepted: ReceivedLog[];
  requests: { path: string; headers: IncomingMessage['headers']; logs: ReceivedLog[] }[];
  react: Reaction;
  close(): Promise<void>;
}

/** @param tls PEM texts; without them, the receiver uses plain HTTP */
export async function startLogReceiver({
  port = 0,
  tls,
}: {
  port?: number;
  tls?: { cert: string; key: string; ca?: string; requestCert?: boolean };
} = {}): Promise<LogReceiver> {
  const receiver: LogReceiver = {
    url: '',
    port: 0,
    accepted: [],
    requests: [],
    react: () => undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => undefined);
    },
  };
  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const logs = decodeLogs(incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
      receiver.requests.push({ path: incoming.url ?? '', headers: incoming.headers, logs });
      if (receiver.react(logs, response, incoming) !== undefined) return;
      receiver.accepted.push(...logs);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  };
  const server = tls
    ? createTlsServer({ ...tls, rejectUnauthorized: tls.requestCert === true }, onRequest)
    : createServer(onRequest);
  receiver.port = await listen(server, port);
  receiver.url = `${tls ? 'https' : 'http'}://127.0.0.1:${receiver.port}`;
  return receiver;
}

type Message = Pick<Type, 'encode' | 'decode' | 'toObject'>;
/** The library has no types for its generated code. */
const messages = z
  .custom<{
    opentelemetry: {
      proto: {
        collector: {
          logs: { v1: { ExportLogsServiceRequest: Message; ExportLogsServiceResponse: Message } };
        };
      };
    };
  }>(() => true)
  .parse(generated);
const logs = messages.opentelemetry.proto.collector.logs.v1;

/** The log records of an ExportLogsServiceRequest. */
function decodeLogs(body: Uint8Array): ReceivedLog[] {
  const type = logs.ExportLogsServiceRequest;
  const plain: unknown = type.toObject(type.decode(body), { longs: String, enums: String, arrays: true });
  return request.parse(plain).resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body: text, severityText, attributes }) => {
        const values = toRecord(attributes);
        return {
          id: String(values['log.record.uid']),
          body: text.stringValue ?? '',
          severity: severityText,
          attributes: values,
          resource: toRecord(resource.attributes),
        };
      }),
    ),
  );
}

/** An ExportLogsServiceResponse that rejects this number of records. */
export function partialSuccess(rejectedLogRecords: number, errorMessage: string): Buffer {
  const type = logs.ExportLogsServiceResponse;
  return Buffer.from(type.encode({ partialSuccess: { rejectedLogRecords, errorMessage } }).finish());
}

function toRecord(attributes: readonly z.infer<typeof attribute>[]): ReceivedLog['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.intValue ??
        value.stringValue ??
        value.arrayValue?.values.map(({ stringValue }) => stringValue) ??
        (value.arrayValue === undefined ? '' : []),
    ]),
  );
}
