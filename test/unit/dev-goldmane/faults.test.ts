import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/time/clock.ts';
import { LoopClock } from '../../support/loop-clock.ts';
import { issueCertificates, type IssuedCertificates } from '../../../dev/certificates.ts';
import { startGoldmane, type GoldmaneStandIn } from '../../../dev/goldmane/stand-in.ts';
import { encoderOf } from '../../../dev/goldmane/messages.ts';
import { Reader } from '../../conformance/reader.ts';
import { until } from '../../conformance/waiting.ts';

const SPEED = 60;

describe('Faults of the stand-in', () => {
  let clock: Clock;
  let goldmane: GoldmaneStandIn;
  let certificates: IssuedCertificates;
  const readers: Reader[] = [];

  beforeEach(async () => {
    clock = new LoopClock(SPEED);
    certificates = await issueCertificates();
    goldmane = await startGoldmane({ clock, tls: serverPems(certificates), startAtOnce: true });
  });

  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await goldmane.kill();
  });

  function serverPems({ authority, server }: IssuedCertificates): { ca: string; cert: string; key: string } {
    return { ca: authority.certificate, cert: server.certificate, key: server.key };
  }

  function read(by: IssuedCertificates = certificates): Reader {
    const reader = new Reader({
      clock,
      bucketSeconds: 15,
      target: {
        address: goldmane.address,
        tls: { ca: by.authority.certificate, cert: by.client.certificate, key: by.client.key },
      },
    });
    readers.push(reader);
    return reader;
  }

  const bucket = (offset = 0): number => (Math.floor(clock.now() / 15_000) + offset) * 15;
  const list = (reader: Reader): Promise<unknown> => reader.list(bucket(-3), bucket(-2), 300);

  it('List works while streams are rejected, and streams work again afterwards', async () => {
    goldmane.faults.answerStreams({ status: 'RESOURCE_EXHAUSTED', message: 'zu viele: 100 %' });
    const reader = read();
    const refused = reader.follow();
    await until('a refusal', () => refused.error() !== undefined, 5_000);
    expect(refused.error()).toMatchObject({ code: 8, details: 'zu viele: 100 %' });
    await list(reader);
    goldmane.faults.answerStreams('serve');
    const stream = reader.follow();
    await until('the stream', () => goldmane.stats().streams === 1, 5_000);
    expect(stream.error()).toBeUndefined();
  });

  it('streams work while List hangs or is rejected', async () => {
    const reader = read();
    goldmane.faults.answerLists('hang');
    await expect(list(reader)).rejects.toMatchObject({ code: 4 });
    goldmane.faults.answerLists({ status: 'UNIMPLEMENTED' });
    await expect(list(reader)).rejects.toMatchObject({ code: 12 });
    const stream = reader.follow();
    await until('the stream', () => goldmane.stats().streams === 1, 5_000);
    goldmane.ingest([{ startSeconds: bucket(), srcNamespace: 'ns' }]);
    await stream.waitFor('ns', 1);
    goldmane.faults.answerLists('serve');
    await list(reader);
  });

  it('a held main loop serves no requests, then all of them', async () => {
    const reader = read();
    await list(reader);
    const heldMs = performance.now();
    const startSeconds = bucket(-2);
    goldmane.faults.holdMainLoop(20_000);
    goldmane.ingest([{ startSeconds, srcNamespace: 'held' }]);
    await reader.list(bucket(-3), bucket(-2));
    expect(performance.now() - heldMs).toBeGreaterThanOrEqual(20_000 / SPEED - 2);
    await until('the flow', async () => (await reader.bucket(startSeconds, 'held')).length === 1, 5_000);
  });

  it('malformed bytes reach every reader of the stream', async () => {
    const streams = [read().follow(), read().follow()];
    await until('both streams', () => goldmane.stats().streams === 2, 5_000);
    expect(goldmane.faults.sendToStreams(Buffer.from([0xff]))).toBe(2);
    await until(
      'both failures',
      () => streams.every((stream) => stream.error()?.code === status.INTERNAL),
      5_000,
    );
  });

  it('tests can set the next responses of List', async () => {
    const reader = read();
    goldmane.faults.answerNextLists(Buffer.from([0xff]), 2);
    await expect(list(reader)).rejects.toMatchObject({ code: 13 });
    await expect(list(reader)).rejects.toMatchObject({ code: 13 });
    await list(reader);
  });

  it('injected records are streamed with their bucket and listed in it', async () => {
    const reader = read();
    const stream = reader.follow();
    await until('the stream', () => goldmane.stats().streams === 1, 5_000);
    const startSeconds = bucket();
    const withoutKey = encoderOf('FlowResult')({ id: 77, flow: {} });
    expect(goldmane.faults.injectRecords(startSeconds, [withoutKey])).toBe(true);
    expect(goldmane.faults.injectRecords(1, [withoutKey])).toBe(false);
    goldmane.ingest([{ startSeconds, srcNamespace: 'ns' }]);
    await stream.waitFor('ns', 1).catch(() => undefined);
    await until('both records', () => stream.records.length === 2, 5_000);
    expect(new Set(stream.records.map(({ id }) => id))).toEqual(new Set([1, 77]));
    const answer = await reader.list(startSeconds, startSeconds + 15);
    expect(answer.meta.totalResults).toBe(2);
    expect(new Set(answer.flows.map(({ id }) => id))).toEqual(new Set([1, 77]));
  });

  it('connections can be cut, and streams ended with a status', async () => {
    const reader = read();
    const stream = reader.follow();
    await until('the stream', () => goldmane.stats().streams === 1, 5_000);
    goldmane.faults.endStreams('ABORTED', 'because');
    await until('its end', () => stream.error() !== undefined, 5_000);
    expect(stream.error()).toMatchObject({ code: 10, details: 'because' });
    const second = read().follow();
    await until('the second stream', () => goldmane.stats().streams === 1, 5_000);
    goldmane.faults.cutConnections();
    await until('its end', () => second.error() !== undefined, 5_000);
    expect(second.error()?.code).toBe(14);
    await list(read());
  });

  it('certificates can be rotated: new connections see the new ones', async () => {
    const rotated = await issueCertificates();
    goldmane.useCertificates(serverPems(rotated));
    await expect(list(read())).rejects.toMatchObject({ code: 14 });
    await list(read(rotated));
  });

  it('a stop ends streams, and the port can be used again', async () => {
    const { port } = goldmane;
    const stream = read().follow();
    await until('the stream', () => goldmane.stats().streams === 1, 5_000);
    await goldmane.stop();
    await until('its end', () => stream.error() !== undefined, 5_000);
    expect(stream.error()?.code).toBe(14);
    expect(await goldmane.ended).toBe('stopped');
    goldmane = await startGoldmane({ clock, tls: serverPems(certificates), port, startAtOnce: true });
    expect(goldmane.port).toBe(port);
    await list(read());
  });

  it('the statistics count requests and records', async () => {
    const reader = read();
    const stream = reader.follow();
    await until('the stream', () => goldmane.stats().streams === 1, 5_000);
    goldmane.ingest([{ startSeconds: bucket(), srcNamespace: 'ns' }, { startSeconds: 1 }]);
    await stream.waitFor('ns', 1);
    await list(reader);
    expect(goldmane.stats()).toMatchObject({
      streams: 1,
      recordsSent: 1,
      lists: 1,
      ingested: 2,
      outsideRing: 1,
      keys: 1,
      droppedAtIntake: 0,
      droppedForReaders: 0,
    });
  });
});
