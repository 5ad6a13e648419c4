import { status, type sendUnaryData } from '@grpc/grpc-js';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { CallError, callUnary } from '../../../src/goldmane/calls.ts';
import { connectGoldmane } from '../../../src/goldmane/connection.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../../../src/goldmane/failure.ts';
import type { GoldmaneConfig } from '../../../src/config/goldmane-config.ts';
import { until } from '../../support/poll.ts';
import { createGrpcClient } from './grpc-client.ts';
import { startPair, type PeerHandlers } from './peer.ts';

vi.setConfig({ testTimeout: 30_000 });
const never = new AbortController().signal;
const BUCKET = 1_795_316_670;
const listRequest = protobuf
  .loadSync(fileURLToPath(new URL('../../../proto/goldmane.proto', import.meta.url)))
  .lookupType('goldmane.FlowListRequest');

async function connectTo(handlers: PeerHandlers, rest: Partial<GoldmaneConfig> = {}) {
  const pair = await startPair(handlers, rest);
  const connection = await connectGoldmane(pair.target, { clock: systemClock, signal: never });
  onTestFinished(() => connection.close());
  return { ...pair, connection };
}

async function failureOf(call: Promise<unknown>): Promise<GoldmaneFailure> {
  return call.then(
    () => {
      throw new Error('the call did not fail');
    },
    (error: unknown) => {
      if (isGoldmaneFailure(error)) return error;
      throw error;
    },
  );
}

describe('askClock', () => {
  const refusing = (code: status, details: string) =>
    connectTo({ list: (_call, reply) => reply({ code, details }) });

  test('requests a range that Goldmane rejects, and reads its clock from the error', async () => {
    const requests: object[] = [];
    const { connection } = await connectTo({
      list: (call, reply) => {
        requests.push(listRequest.toObject(listRequest.decode(call.request), { longs: Number }));
        reply({
          code: status.UNKNOWN,
          details: `startTimeGt (${BUCKET - 1}) must be less than startTimeLt (1)`,
        });
      },
    });
    expect(await connection.askClock(never)).toBe(BUCKET + 0.5);
    expect(requests).toEqual([{ startTimeGte: -1, startTimeLt: 1 }]);
  });

  test.each([
    [status.UNKNOWN, 'at most one sort order is supported'],
    [status.INVALID_ARGUMENT, 'invalid time range'],
    [status.UNKNOWN, 'startTimeGt (-1) must be less than startTimeLt (1)'],
  ])('an error without a clock (%s, %s) returns undefined', async (code, details) => {
    const { connection } = await refusing(code, details);
    expect(await connection.askClock(never)).toBeUndefined();
  });

  test('a response without an error returns undefined', async () => {
    const { connection } = await connectTo({ list: (_call, reply) => reply(null, Buffer.alloc(0)) });
    expect(await connection.askClock(never)).toBeUndefined();
  });

  test('any other failure is thrown', async () => {
    const { connection } = await refusing(status.PERMISSION_DENIED, 'not you');
    expect((await failureOf(connection.askClock(never))).kind).toBe('refused');
  });
});

describe('list', () => {
  test('requests exactly one bucket and returns the raw response', async () => {
    const requests: object[] = [];
    const answer = Buffer.from([0x0a, 0x02, 0x10, 0x00]);
    const { connection } = await connectTo({
      list: (call, reply) => {
        requests.push(listRequest.toObject(listRequest.decode(call.request), { longs: Number }));
        reply(null, answer);
      },
    });
    expect(await connection.list(BUCKET, never)).toEqual(answer);
    expect(requests).toEqual([{ startTimeGte: BUCKET, startTimeLt: BUCKET + 15 }]);
  });

  test.each([0, -15, 1_501, 1.5, Number.NaN])(
    'a start of %d, which is not the start of a bucket, is rejected',
    async (start) => {
      const { connection } = await connectTo({});
      await expect(connection.list(start, never)).rejects.toThrow(RangeError);
    },
  );

  test('a response beyond the size limit is reported as such', async () => {
    const { connection } = await connectTo(
      { list: (_call, reply) => reply(null, Buffer.alloc(200_000)) },
      { maxReceiveBytes: 100_000 },
    );
    expect(await failureOf(connection.list(BUCKET, never))).toMatchObject({ kind: 'response_too_large' });
  });

  test('a response of 20 MB is accepted', async () => {
    const { connection } = await connectTo({ list: (_call, reply) => reply(null, Buffer.alloc(20_000_000)) });
    expect((await connection.list(BUCKET, never)).length).toBe(20_000_000);
  });

  test('an error status fails with the server’s text', async () => {
    const { connection } = await connectTo({
      list: (_call, reply) => reply({ code: status.PERMISSION_DENIED, details: 'not you' }),
    });
    const failure = await failureOf(connection.list(BUCKET, never));
    expect(failure.kind).toBe('refused');
    expect(failure.message).toContain('not you');
  });

  test('aborting rejects with the signal’s reason and cancels the call at the server', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let wasCancelled = false;
    const { connection } = await connectTo({
      list: (call) => {
        call.on('cancelled', () => (wasCancelled = true));
        controller.abort(reason);
      },
    });
    await expect(connection.list(BUCKET, controller.signal)).rejects.toBe(reason);
    await until('the server received the cancellation', () => wasCancelled || undefined, 5_000);
  });

  test('a missing response is a timeout', async () => {
    const { target } = await startPair({ list: () => undefined });
    const client = await createGrpcClient(target);
    const waiting = callUnary(client, '/goldmane.Flows/List', Buffer.alloc(0), {
      timeoutMs: 200,
      signal: never,
    });
    await expect(waiting).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await expect(waiting).rejects.toBeInstanceOf(CallError);
  });

  test('a stopped server is reported, and a restarted one is reached', async () => {
    const answers: sendUnaryData<Buffer>[] = [];
    const { connection, peer } = await connectTo({ list: (_call, reply) => void answers.push(reply) });
    const asked = failureOf(connection.list(BUCKET, never));
    await until('the server received the call', () => answers[0], 5_000);
    peer.stop();
    expect((await asked).kind).toBe('unavailable');
    // The channel reports only that there is no connection; the cause is determined with a new one.
    expect((await failureOf(connection.list(BUCKET, never))).kind).toBe('connection_refused');
  });

  test('no call is made after close()', async () => {
    const { connection } = await connectTo({ list: (_call, reply) => reply(null, Buffer.alloc(0)) });
    connection.close();
    expect((await failureOf(connection.list(BUCKET, never))).kind).toBe('unavailable');
  });

  test('close() ends a running call', async () => {
    const { connection } = await connectTo({ list: () => connection.close() });
    expect((await failureOf(connection.list(BUCKET, never))).kind).toBe('unavailable');
  });
});
