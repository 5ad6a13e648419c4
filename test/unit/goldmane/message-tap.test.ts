import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { connectGoldmane } from '../../../src/goldmane/connection.ts';
import { issueCertificates } from '../../../dev/certificates.ts';
import { until } from '../../support/poll.ts';
import { listen, startPair, writeTarget } from './peer.ts';

vi.setConfig({ testTimeout: 30_000 });

/** What a reader of the stream is handed, until the test ends. */
async function follow(target: Parameters<typeof connectGoldmane>[0]) {
  const controller = new AbortController();
  const connection = await connectGoldmane(target, { clock: systemClock, signal: controller.signal });
  const messages: string[] = [];
  const ended = connection.stream(
    { onOpen: () => undefined, onMessage: (raw) => messages.push(raw.toString('latin1')) },
    controller.signal,
  );
  onTestFinished(async () => {
    controller.abort();
    await ended;
    connection.close();
  });
  return messages;
}

function framed(message: Buffer, isCompressed: boolean): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A server that sends what it is given, framed by the test. */
async function startRaw(answer: (stream: ServerHttp2Stream) => void) {
  const issued = await issueCertificates();
  const { server: pair, authority, client } = issued;
  const server = createSecureServer({
    key: pair.key,
    cert: pair.certificate,
    ca: authority.certificate,
    requestCert: true,
  });
  const streams = new Set<ServerHttp2Stream>();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    streams.add(stream);
    if (headers[':path'] === '/goldmane.Flows/Stream') answer(stream);
    else stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
  });
  onTestFinished(() => {
    for (const stream of streams) stream.session?.destroy();
    server.close();
  });
  const port = await listen(server);
  return writeTarget(port, { pair: client, bundle: authority.certificate });
}

test('compressed messages are handed over as they were before, in the order in which they came', async () => {
  const target = await startRaw((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' });
    stream.write(framed(Buffer.from('first'), false));
    stream.write(framed(gzipSync('second'), true));
    stream.write(framed(gzipSync('third'), true));
    stream.write(framed(Buffer.from('fourth'), false));
  });
  const messages = await follow(target);
  await until('all arrived', () => messages.length >= 4 || undefined, 5_000);
  expect(messages).toEqual(['first', 'second', 'third', 'fourth']);
});

test('a message that comes in pieces, and an empty one, are handed over whole', async () => {
  const whole = framed(Buffer.from('in pieces'), false);
  const target = await startRaw((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(whole.subarray(0, 3));
    stream.write(whole.subarray(3, 8));
    stream.write(Buffer.concat([whole.subarray(8), framed(Buffer.alloc(0), false)]));
  });
  const messages = await follow(target);
  await until('both arrived', () => messages.length >= 2 || undefined, 5_000);
  expect(messages).toEqual(['in pieces', '']);
});

test('the server is told nothing of it', async () => {
  const seen: string[] = [];
  const { target } = await startPair({
    stream: (call) => {
      seen.push(...Object.keys(call.metadata.getMap()));
      call.write(Buffer.from('x'));
    },
  });
  const messages = await follow(target);
  await until('it arrived', () => messages.length > 0 || undefined, 5_000);
  expect(seen.filter((name) => name.includes('tap'))).toEqual([]);
  expect(seen).toContain('user-agent');
});
