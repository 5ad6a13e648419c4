import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { issueCertificates } from '../../../dev/certificates.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { parseHeadersFile, parseHeadersVariable } from '../../../src/flow-logs/headers.ts';
import { Receiver } from '../../../src/flow-logs/receiver.ts';
import { retryAfterMs } from '../../../src/flow-logs/receiver-errors.ts';
import { startLogReceiver, type LogReceiver } from '../../support/log-receiver.ts';
import { folderOfTest } from '../../support/folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await folderOfTest();
});

async function start(...args: Parameters<typeof startLogReceiver>): Promise<LogReceiver> {
  const server = await startLogReceiver(...args);
  onTestFinished(() => server.close());
  return server;
}

function receiverOf(url: string, env: NodeJS.ProcessEnv = {}): Receiver {
  const config = loadConfig({ DATABASE_URL: 'postgres://u@h/d', OTLP_LOGS_ENDPOINT: url, ...env }).export;
  if (!config) throw new Error('no endpoint');
  const receiver = new Receiver(config);
  onTestFinished(() => receiver.close());
  return receiver;
}
const { signal } = new AbortController();
const nothing = new Uint8Array();

test('a request has path, compression and headers; a changed headers file is used immediately', async () => {
  const server = await start();
  const headersFile = join(folder, 'headers');
  await writeFile(headersFile, '# tokens\nAuthorization: Bearer one\nX-Scope-OrgID: tenant\n');
  const receiver = receiverOf(server.url, { OTLP_LOGS_HEADERS_FILE: headersFile });
  await receiver.send(nothing, signal);
  await writeFile(headersFile, 'Authorization: Bearer two');
  await receiver.send(nothing, signal);
  const [first, second] = server.requests;
  expect(first?.path).toBe('/v1/logs');
  expect(first?.headers).toMatchObject({
    authorization: 'Bearer one',
    'x-scope-orgid': 'tenant',
    'content-encoding': 'gzip',
    'content-type': 'application/x-protobuf',
  });
  expect(second?.headers).toMatchObject({ authorization: 'Bearer two' });
  expect(second?.headers['x-scope-orgid']).toBeUndefined();
});

test('a receiver with TLS requires its CA; a rotated CA and certificate are used without a restart', async () => {
  const [before, after] = await Promise.all([issueCertificates(), issueCertificates()]);
  const tlsOf = ({ authority, server }: typeof before) => ({
    cert: server.certificate,
    key: server.key,
    ca: authority.certificate,
    requestCert: true,
  });
  const first = await startLogReceiver({ tls: tlsOf(before) });
  const files = { ca: join(folder, 'ca.crt'), cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const mount = async ({ authority, client }: typeof before) => {
    await writeFile(files.ca, authority.certificate);
    await writeFile(files.cert, client.certificate);
    await writeFile(files.key, client.key);
  };
  await mount(before);
  const url = first.url.replace('127.0.0.1', 'localhost');
  await expect(receiverOf(url).send(nothing, signal)).rejects.toMatchObject({ kind: 'untrusted' });
  const receiver = receiverOf(url, {
    OTLP_LOGS_CA_FILE: files.ca,
    OTLP_LOGS_CERT_FILE: files.cert,
    OTLP_LOGS_KEY_FILE: files.key,
  });
  expect(await receiver.send(nothing, signal)).toMatchObject({ status: 'accepted' });
  await first.close();
  await start({ port: first.port, tls: tlsOf(after) });
  await expect(receiver.send(nothing, signal)).rejects.toMatchObject({ system: 'receiver' });
  await expect(receiver.send(nothing, signal)).rejects.toMatchObject({ kind: 'untrusted' });
  await mount(after);
  expect(await receiver.send(nothing, signal)).toMatchObject({ status: 'accepted' });
});

test.each<[number, Record<string, string>, string, object]>([
  [429, { 'retry-after': '7' }, '', { kind: 'busy', retryAfterMs: 7_000 }],
  [503, {}, '', { kind: 'busy', retryAfterMs: undefined }],
  [401, {}, '', { kind: 'refused' }],
  [404, {}, '', { kind: 'refused' }],
  [302, { location: 'http://127.0.0.1:1/' }, '', { kind: 'refused' }],
  [500, {}, '', { kind: 'refused' }],
  [200, { 'content-type': 'text/html' }, '<html>log in</html>', { kind: 'not_otlp' }],
  [200, { 'content-type': 'application/x-protobuf' }, '\u00ff\u00ff\u00ff', { kind: 'not_otlp' }],
])(
  'status %i with %j is a failure, and no record counts as accepted',
  async (status, headers, body, failure) => {
    const server = await start();
    server.react = (_logs, response) => {
      response.writeHead(status, headers).end(body);
      return 'answered';
    };
    await expect(receiverOf(server.url).send(nothing, signal)).rejects.toMatchObject(failure);
  },
);

test.each<[number, string, object]>([
  [204, '', { status: 'accepted', rejected: 0 }],
  [
    200,
    '{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too long"}}',
    { rejected: 3, message: 'too long' },
  ],
  [400, '{"code":3,"message":"no tenant"}', { status: 'invalid', message: 'no tenant' }],
  [413, '', { status: 'too_large' }],
])('status %i with %j is a valid response', async (status, body, answer) => {
  const server = await start();
  server.react = (_logs, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    return 'answered';
  };
  expect(await receiverOf(server.url).send(nothing, signal)).toMatchObject(answer);
});

test('an endless response aborts the request', async () => {
  const server = await start();
  server.react = (_logs, response) => {
    response.writeHead(400, { 'content-type': 'text/plain' });
    const fill = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    };
    response.on('drain', fill);
    fill();
    return 'answered';
  };
  expect(await receiverOf(server.url).send(nothing, signal)).toMatchObject({ status: 'invalid' });
});

test('no failure contains a header or the query of the URL', async () => {
  const server = await start();
  server.react = (_logs, response) => {
    response.writeHead(401).end();
    return 'answered';
  };
  const receiver = receiverOf(`${server.url}/logs?key=secret-of-query`, {
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'authorization=secret-of-header',
  });
  const error: unknown = await receiver.send(nothing, signal).catch((reason: unknown) => reason);
  expect(server.requests[0]?.headers.authorization).toBe('secret-of-header');
  expect(JSON.stringify(error) + String(error)).not.toContain('secret-of');
});

test.each(['no colon', 'Bad Name: x', 'Host: x', 'a: b\u0000', ': x'])(
  'the header line %j is rejected',
  (line) => {
    expect(parseHeadersFile(line)).toHaveProperty('problem');
  },
);

test('the headers variable has OpenTelemetry’s format', () => {
  expect(parseHeadersVariable('api-key=a%3Db, X-Scope-OrgID=1')).toEqual({
    headers: { 'api-key': 'a=b', 'x-scope-orgid': '1' },
  });
  expect(parseHeadersVariable('nothing')).toHaveProperty('problem');
});

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['soon', undefined],
  ['soon 5', undefined],
  ['1e9', undefined],
  ['-5', undefined],
  ['99999999999999999999', 600_000],
  ['0', 0],
  ['120', 120_000],
  ['86400', 600_000],
  ['Wed, 21 Oct 2015 07:28:30 GMT', 30_000],
  ['Wed, 21 Oct 2015 07:00:00 GMT', 0],
])('Retry-After %j', (header, expected) => {
  expect(retryAfterMs(header, Date.parse('2015-10-21T07:28:00Z'))).toBe(expected);
});
