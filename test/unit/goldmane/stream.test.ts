import { connect as connectTcp, type Socket } from 'node:net';
import { status, type ServerWritableStream } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { connectGoldmane, type GoldmaneConnection } from '../../../src/goldmane/connection.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../../../src/goldmane/failure.ts';
import { followStream } from '../../../src/goldmane/stream.ts';
import { readCapture } from '../../support/capture.ts';
import { until } from '../../support/poll.ts';
import { createGrpcClient } from './grpc-client.ts';
import { startPair, startTcp, type PeerHandlers } from './peer.ts';

vi.setConfig({ testTimeout: 30_000 });
const never = new AbortController().signal;
type Call = ServerWritableStream<Buffer, Buffer>;

async function connectTo(handlers: PeerHandlers) {
  const pair = await startPair(handlers);
  const connection = await connectGoldmane(pair.target, { clock: systemClock, signal: never });
  onTestFinished(() => connection.close());
  return { ...pair, connection };
}

/** Follows the stream and records events in order. */
function follow(connection: GoldmaneConnection) {
  const controller = new AbortController();
  const events: (string | Buffer)[] = [];
  const ended = connection.stream(
    { onOpen: () => events.push('open'), onMessage: (raw) => events.push(raw) },
    controller.signal,
  );
  ended.catch(() => undefined);
  return { events, ended, abort: (reason: Error) => controller.abort(reason) };
}

async function failureOf(ended: Promise<void>): Promise<GoldmaneFailure> {
  return ended.then(
    () => {
      throw new Error('the stream ended without a failure');
    },
    (error: unknown) => {
      if (isGoldmaneFailure(error)) return error;
      throw error;
    },
  );
}

test('the stream requests no history, opens once, and passes on each message unchanged', async () => {
  const sent = readCapture().slice(0, 500);
  const requests: Buffer[] = [];
  const { connection } = await connectTo({
    stream: (call) => {
      requests.push(call.request);
      for (const raw of sent) call.write(raw);
    },
  });
  const { events, ended, abort } = follow(connection);
  await until('all messages arrived', () => events.length > sent.length || undefined, 10_000);
  abort(new Error('enough'));
  await ended;
  expect(events[0]).toBe('open');
  expect(events.slice(1).map((raw) => raw.toString('hex'))).toEqual(sent.map((raw) => raw.toString('hex')));
  expect(requests).toEqual([Buffer.alloc(0)]);
});

test('the stream opens although the server sends nothing, as in a quiet cluster', async () => {
  const { connection } = await connectTo({ stream: () => undefined });
  const { events } = follow(connection);
  await until('it is open', () => events.length > 0 || undefined, 5_000);
  expect(events).toEqual(['open']);
});

test('aborting resolves and cancels the call at the server', async () => {
  let wasCancelled = false;
  const { connection } = await connectTo({
    stream: (call) => call.on('cancelled', () => (wasCancelled = true)),
  });
  const { events, ended, abort } = follow(connection);
  await until('it is open', () => events.length > 0 || undefined, 5_000);
  abort(new Error('enough'));
  await expect(ended).resolves.toBeUndefined();
  await until('the server saw the cancellation', () => wasCancelled || undefined, 5_000);
});

test('aborting before the call resolves without a request', async () => {
  let calls = 0;
  const { connection } = await connectTo({ stream: () => (calls += 1) });
  await connection.stream({ onOpen: () => (calls += 1), onMessage: () => undefined }, AbortSignal.abort());
  expect(calls).toBe(0);
});

test('no messages are delivered after aborting', async () => {
  const controller = new AbortController();
  const { connection } = await connectTo({
    stream: (call) => {
      for (let index = 0; index < 100; index++) call.write(Buffer.from([index]));
    },
  });
  const messages: Buffer[] = [];
  const onMessage = (raw: Buffer) => {
    messages.push(raw);
    controller.abort();
  };
  await connection.stream({ onOpen: () => undefined, onMessage }, controller.signal);
  await connection.list(15, never).catch(() => undefined);
  expect(messages.length).toBe(1);
});

test('messages that arrived before the server ended the stream are delivered first', async () => {
  const sent = readCapture().slice(0, 500);
  const { connection } = await connectTo({
    stream: (call) => {
      for (const raw of sent) call.write(raw);
      call.end();
    },
  });
  const { events, ended } = follow(connection);
  expect((await failureOf(ended)).kind).toBe('unavailable');
  expect(events.length).toBe(1 + sent.length);
});

describe('the end of a stream is a failure', () => {
  test('when the server ends it with OK', async () => {
    const { connection } = await connectTo({ stream: (call) => call.end() });
    const failure = await failureOf(follow(connection).ended);
    expect(failure.kind).toBe('unavailable');
  });

  test('when the server ends it with an error', async () => {
    const { connection } = await connectTo({
      stream: (call) => call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many streams' }),
    });
    const failure = await failureOf(follow(connection).ended);
    expect(failure.kind).toBe('refused');
    expect(failure.message).toContain('too many streams');
  });

  test('when the server stops', async () => {
    const calls: Call[] = [];
    const { connection, peer } = await connectTo({ stream: (call) => void calls.push(call) });
    const { ended, events } = follow(connection);
    await until('it is open', () => events.length > 0 || undefined, 5_000);
    peer.stop();
    expect((await failureOf(ended)).kind).toBe('unavailable');
  });

  test('when the server does not implement it', async () => {
    const { connection } = await connectTo({});
    const failure = await failureOf(follow(connection).ended);
    expect(failure).toMatchObject({ kind: 'refused', code: 'UNIMPLEMENTED' });
  });

  test('when the connection is closed', async () => {
    const { connection } = await connectTo({ stream: () => undefined });
    const { ended, events } = follow(connection);
    await until('it is open', () => events.length > 0 || undefined, 5_000);
    connection.close();
    expect((await failureOf(ended)).kind).toBe('unavailable');
  });
});

test('an error of a handler ends the stream and is passed on', async () => {
  let wasCancelled = false;
  const { connection } = await connectTo({
    stream: (call) => {
      call.on('cancelled', () => (wasCancelled = true));
      call.write(Buffer.from([1]));
    },
  });
  const handlerError = new TypeError('handler failed');
  const fail = () => {
    throw handlerError;
  };
  await expect(connection.stream({ onOpen: () => undefined, onMessage: fail }, never)).rejects.toBe(
    handlerError,
  );
  await until('the server saw the cancellation', () => wasCancelled || undefined, 5_000);
  await expect(connection.stream({ onOpen: fail, onMessage: () => undefined }, never)).rejects.toBe(
    handlerError,
  );
});

describe('probes', () => {
  const limits = { silenceMs: 100, answerMs: 400, signal: never };

  test('a quiet stream with a live peer stays open', async () => {
    const { target } = await startPair({ stream: () => undefined });
    const client = await createGrpcClient(target);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 1_500);
    const handlers = { onOpen: () => undefined, onMessage: () => undefined };
    await expect(followStream(client, handlers, { ...limits, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
  });

  test('a black hole is detected', async () => {
    const { target, peer } = await startPair({ stream: (call) => void call.write(Buffer.from([1])) });
    const hole = await startDroppingProxy(peer.port);
    const client = await createGrpcClient({ ...target, host: `localhost:${hole.port}` });
    const handlers = { onOpen: () => undefined, onMessage: () => hole.swallow() };
    await expect(followStream(client, handlers, limits)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: 'no response to a probe for 400 ms',
    });
  });

  test('closing does not wait for a black hole', async () => {
    const { target, peer } = await startPair({ stream: () => undefined });
    const hole = await startDroppingProxy(peer.port);
    const connection = await connectGoldmane(
      { ...target, host: `localhost:${hole.port}` },
      { clock: systemClock, signal: never },
    );
    const { events, ended } = follow(connection);
    await until('it is open', () => events.length > 0 || undefined, 5_000);
    hole.swallow();
    connection.close();
    expect((await failureOf(ended)).kind).toBe('unavailable');
    await until('the socket is closed', () => hole.open() === 0 || undefined, 5_000);
  });
});

/** A proxy that can drop all traffic. */
async function startDroppingProxy(port: number) {
  let isSwallowing = false;
  const clients = new Set<Socket>();
  const hole = await startTcp((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    const upstream = connectTcp(port, '127.0.0.1');
    upstream.on('error', () => undefined);
    client.on('data', (chunk) => void (isSwallowing || upstream.write(chunk)));
    upstream.on('data', (chunk) => void (isSwallowing || client.write(chunk)));
    client.on('close', () => upstream.destroy());
    onTestFinished(() => void upstream.destroy());
  });
  return { port: hole, swallow: () => void (isSwallowing = true), open: () => clients.size };
}
