import { createServer as createHttp2, createSecureServer } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { issueCertificates } from '../../../dev/certificates.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { readSuccess } from '../../../src/flow-logs/otlp-message.ts';
import { Receiver } from '../../../src/flow-logs/receiver.ts';
import { partialSuccess, startLogReceiver } from '../../support/log-receiver.ts';
import { listen } from '../../../dev/ports.ts';
import { folderOfTest } from '../../support/folder.ts';

// With a broken or hostile receiver, each request ends with a failure of the right kind, and no record counts as accepted
// unless it was.

const { signal } = new AbortController();
const body = new Uint8Array(100);
const protobuf = 'application/x-protobuf';

function receiverOf(url: string, env: NodeJS.ProcessEnv = {}): Receiver {
  const config = loadConfig({
    DATABASE_URL: 'postgres://u@h/d',
    OTLP_LOGS_ENDPOINT: url,
    OTLP_LOGS_TIMEOUT_SECONDS: '1',
    ...env,
  }).export;
  if (!config) throw new Error('no endpoint');
  const receiver = new Receiver(config);
  onTestFinished(() => receiver.close());
  return receiver;
}

async function listening(server: Server, close = (): unknown => server.close()): Promise<number> {
  const port = await listen(server);
  onTestFinished(() => void close());
  return port;
}

/** A TCP server; `answer` is called when the beginning of a request arrives. */
async function rawServer(answer: (socket: Socket, requests: number) => void): Promise<string> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.includes('POST /')) return;
      requests += 1;
      answer(socket, requests);
    });
  });
  const port = await listening(server, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

async function answering(
  status: number,
  headers: Record<string, string>,
  content: string | Buffer = '',
): Promise<string> {
  const server = await startLogReceiver();
  onTestFinished(() => server.close());
  server.react = (_logs, response) => {
    response.writeHead(status, headers).end(content);
    return 'answered';
  };
  return server.url;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

test.each<[string, (socket: Socket) => void, string]>([
  [
    'changes to another protocol',
    (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
    'not_otlp',
  ],
  ['closes the connection', (socket) => socket.end(), 'unreachable'],
  ['resets the connection', (socket) => socket.resetAndDestroy(), 'unreachable'],
  ['speaks another protocol', (socket) => socket.end('220 mail.example.com ESMTP\r\n'), 'not_otlp'],
  ['never answers', () => undefined, 'timeout'],
  ['sends status 100 repeatedly', (socket) => drip(socket, 'HTTP/1.1 100 Continue\r\n\r\n'), 'timeout'],
  ['sends its headers slowly', (socket) => drip(socket, 'H'), 'not_otlp'],
  [
    'sends its body slowly',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n');
      drip(socket, 'x');
    },
    'timeout',
  ],
  [
    'sends headers without end',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const fill = () => {
        while (!socket.destroyed && socket.write(`X-Filler: ${'x'.repeat(1_000)}\r\n`));
      };
      socket.on('drain', fill);
      fill();
    },
    'not_otlp',
  ],
  [
    'ends within the body of a success',
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx'),
    'unreachable',
  ],
])('a receiver that %s', async (_what, answer, kind) => {
  const url = await rawServer(answer);
  await expect(receiverOf(url).send(body, signal)).rejects.toMatchObject({ system: 'receiver', kind });
});

function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 50);
  socket.on('close', () => clearInterval(timer));
}

test.each([
  [413, 'too_large'],
  [400, 'invalid'],
])('status %i is sufficient, even if the connection ends before its body', async (status, expected) => {
  const url = await rawServer((socket) =>
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 999\r\nConnection: close\r\n\r\nx`),
  );
  expect(await receiverOf(url).send(body, signal)).toMatchObject({ status: expected });
});

test('an idle connection that the receiver has closed is replaced without a failure', async () => {
  const url = await rawServer((socket, requests) => {
    // The second request uses the connection of the first.
    if (requests === 2) socket.resetAndDestroy();
    else socket.write(ok);
  });
  const receiver = receiverOf(url);
  for (let n = 0; n < 2; n += 1)
    expect(await receiver.send(body, signal)).toMatchObject({ status: 'accepted', rejected: 0 });
});

test('a redirect is not followed, so that no other host gets the records or the headers', async () => {
  const other = await startLogReceiver();
  onTestFinished(() => other.close());
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await answering(status, { location: `${other.url}/v1/logs` });
    await expect(receiverOf(url).send(body, signal)).rejects.toMatchObject({ kind: 'refused' });
  }
  expect(other.requests).toEqual([]);
});

test('a compressed response is read, although the request did not ask for compression', async () => {
  const content = gzipSync(partialSuccess(3, 'too old'));
  const url = await answering(200, { 'content-type': protobuf, 'content-encoding': 'gzip' }, content);
  expect(await receiverOf(url).send(body, signal)).toEqual({
    status: 'accepted',
    rejected: 3,
    message: 'too old',
  });
});

test('a response that expands beyond the limit is not read', async () => {
  const bomb = gzipSync(Buffer.alloc(30_000_000));
  const headers = { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
  const [accepting, refusing] = [await answering(200, headers, bomb), await answering(400, headers, bomb)];
  await expect(receiverOf(accepting).send(body, signal)).rejects.toMatchObject({ kind: 'not_otlp' });
  expect(await receiverOf(refusing).send(body, signal)).toEqual({ status: 'invalid', message: '' });
});

test.each<[string, string, Buffer, object | undefined]>([
  ['protobuf without a type', '', partialSuccess(2, 'a'), { rejected: 2, message: 'a' }],
  ['protobuf as bytes', 'application/octet-stream', partialSuccess(2, 'a'), { rejected: 2, message: 'a' }],
  [
    'a warning',
    'application/x-protobuf; charset=utf-8',
    partialSuccess(0, 'slow down'),
    { rejected: 0, message: 'slow down' },
  ],
  [
    'JSON with the names of the .proto file',
    'application/json',
    Buffer.from('{"partial_success":{"rejected_log_records":"4","error_message":"old"}}'),
    { rejected: 4, message: 'old' },
  ],
  [
    'a count beyond 2^53',
    'application/json',
    Buffer.from('{"partialSuccess":{"rejectedLogRecords":"9223372036854775807"}}'),
    { rejected: Number.MAX_SAFE_INTEGER, message: '' },
  ],
  [
    'a negative count',
    'application/json',
    Buffer.from('{"partialSuccess":{"rejectedLogRecords":-1,"errorMessage":{}}}'),
    { rejected: 0, message: '' },
  ],
  ['a page without a type', '', Buffer.from('<html>log in</html>'), undefined],
  ['truncated JSON', 'application/json', Buffer.from('{"partialSuccess":{'), undefined],
  ['deeply nested groups', protobuf, Buffer.alloc(60_000, 0x0b), undefined],
])('the body of a success: %s', (_what, type, content, expected) => {
  expect(readSuccess(content, type)).toEqual(expected);
});

test('HTTP/2 only, without and with TLS', async () => {
  const plain = await listening(createHttp2());
  await expect(receiverOf(`http://127.0.0.1:${plain}`).send(body, signal)).rejects.toMatchObject({
    kind: 'not_otlp',
  });
  const { authority, server } = await issueCertificates();
  const secure = createSecureServer({ cert: server.certificate, key: server.key, allowHTTP1: false });
  secure.on('error', () => undefined);
  const port = await listening(secure);
  const ca = await fileOf(authority.certificate);
  const receiver = receiverOf(`https://localhost:${port}`, { OTLP_LOGS_CA_FILE: ca });
  // Node's HTTP/2 server returns 403 to a client that offers no HTTP/2.
  await expect(receiver.send(body, signal)).rejects.toMatchObject({ kind: 'refused' });
});

test('TLS: a certificate for another name, no TLS, and a missing client certificate are failures', async () => {
  const { authority, server } = await issueCertificates();
  const tls = { cert: server.certificate, key: server.key, ca: authority.certificate };
  const ca = await fileOf(authority.certificate);
  const other = await startLogReceiver({ tls });
  onTestFinished(() => other.close());
  const receiver = receiverOf(other.url.replace('127.0.0.1', '127.0.0.2'), { OTLP_LOGS_CA_FILE: ca });
  await expect(receiver.send(body, signal)).rejects.toMatchObject({ system: 'receiver' });
  const plain = receiverOf(other.url.replace('https:', 'http:'));
  await expect(plain.send(body, signal)).rejects.toMatchObject({ system: 'receiver' });
  const mutual = await startLogReceiver({ tls: { ...tls, requestCert: true } });
  onTestFinished(() => mutual.close());
  const without = receiverOf(mutual.url.replace('127.0.0.1', 'localhost'), { OTLP_LOGS_CA_FILE: ca });
  await expect(without.send(body, signal)).rejects.toMatchObject({ kind: 'refused' });
});

async function fileOf(text: string): Promise<string> {
  const folder = await folderOfTest();
  const path = join(folder, 'ca.crt');
  await writeFile(path, text);
  return path;
}
