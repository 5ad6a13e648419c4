import { describe, expect, it } from 'vitest';
import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import { SimulatedNode } from '../../dev/goldmane/node.ts';
import { subject, versions } from './environment.ts';
import { manyFlows, Scene } from './scene.ts';
import { openServer } from './server.ts';
import { until } from './waiting.ts';

/** A run that has only just begun, as `Scene.open` does not give. */
async function inFreshScene(version: '3.30' | '3.32', play: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = new Scene(await openServer({ version, bucketSeconds: 3 }));
  try {
    await play(scene);
  } finally {
    await scene.close();
  }
}

// A server that runs already is not ours to end.
const restartable = subject.kind === 'running' ? [] : versions;

describe.concurrent.each(restartable)('A run of %s', (version) => {
  it('begins when a bucket begins', () =>
    inFreshScene(version, async (scene) => {
      const { bucketSeconds, clock } = scene.server;
      const slackSeconds = 100 / clock.realMs(1000);
      for (let run = 0; run < 2; run++) {
        expect(scene.nowSeconds % bucketSeconds).toBeLessThan(1 + slackSeconds);
        await scene.server.kill();
        await scene.at(scene.nowSeconds + 0.4 * bucketSeconds);
        await scene.server.start();
      }
    }));

  it('sends its first bucket as soon as that has ended, the others one bucket later', () =>
    inFreshScene(version, async (scene) => {
      const ns = scene.namespace();
      const { bucketSeconds } = scene.server;
      const first = scene.bucket();
      const stream = scene.reader.follow();
      const starts = [first, first + bucketSeconds, first + 2 * bucketSeconds];
      for (const startSeconds of starts) {
        await scene.at(startSeconds);
        await scene.feed([{ startSeconds, srcNamespace: ns }]);
      }
      await stream.waitFor(ns, 3);
      expect(stream.of(ns).map(({ flow }) => flow.startTime)).toEqual(starts);
      const lags = stream.arrivals.map(
        (arrivalMs, index) => arrivalMs / 1000 - (starts[index] ?? 0) - bucketSeconds,
      );
      const slackSeconds = 150 / scene.server.clock.realMs(1000);
      expect(lags[0]).toBeLessThan(1 + slackSeconds);
      for (const lag of lags.slice(1)) {
        expect(lag).toBeGreaterThanOrEqual(bucketSeconds);
        expect(lag).toBeLessThan(bucketSeconds + slackSeconds);
      }
    }));

  it('spans the whole ring from its first second, and counts ids from 1', () =>
    inFreshScene(version, async (scene) => {
      const ns = scene.namespace();
      const old = scene.bucket(-230);
      const records = await scene.feedAndSee(ns, manyFlows(5, { startSeconds: old }));
      expect(new Set(records.map(({ id }) => id))).toEqual(new Set([1, 2, 3, 4, 5]));
      const stream = scene.reader.follow(old);
      await stream.waitFor(ns, 5);
    }));

  it('knows nothing of the one before, and its keys have other ids', () =>
    inFreshScene(version, async (scene) => {
      const ns = scene.namespace();
      const startSeconds = scene.bucket(-10);
      const flows = manyFlows(3, { startSeconds });
      await scene.feedAndSee('other', manyFlows(10, { startSeconds }));
      const before = await scene.feedAndSee(ns, flows);
      const stream = scene.reader.follow();
      await until(
        'the stream',
        async () => (await scene.reader.bucket(startSeconds, ns)).length === 3,
        5_000,
      );
      await scene.server.kill();
      await until('the end of the stream', () => stream.error() !== undefined, 5_000);
      expect(stream.error()?.code).toBe(14);
      await scene.server.start();
      const reader = scene.newReader();
      expect(await reader.bucket(startSeconds, ns)).toEqual([]);
      await scene.feed(flows.map((flow) => ({ ...flow, srcNamespace: ns })));
      await until('the flows', async () => (await reader.bucket(startSeconds, ns)).length === 3, 10_000);
      const ids = (await reader.bucket(startSeconds, ns)).map(({ id }) => id);
      expect(ids.filter((id) => before.some((record) => record.id === id))).toEqual([]);
    }));

  it('is sent again by its nodes what they flushed in the last five minutes', () =>
    inFreshScene(version, async (scene) => {
      const ns = scene.namespace();
      const { clock, target, bucketSeconds } = scene.server;
      const node = new SimulatedNode({ target, clock, flushSeconds: 100_000 });
      const stop = new AbortController();
      const running = node.run(stop.signal);
      const startSeconds = scene.bucket();
      node.observe(manyFlows(50, { startSeconds, srcNamespace: ns }));
      node.flush();
      await until('receipts', () => node.sent === 50, 10_000);
      await scene.server.kill();
      await scene.server.start();
      const reader = scene.newReader();
      expect(await reader.bucket(startSeconds, ns)).toEqual([]);
      // A node notices with its next flush.
      const next = scene.bucket();
      node.observe([{ startSeconds: next, srcNamespace: ns, srcName: 'next' }]);
      node.flush();
      const joined = next === startSeconds ? 51 : 50;
      await until(
        'what was sent again',
        async () => (await reader.bucket(startSeconds, ns)).length === joined,
        clock.realMs(30_000) + 20_000,
      );
      const all = await reader.list(startSeconds, next + bucketSeconds);
      expect(all.meta.totalResults).toBe(51);
      expect(node.resent).toBe(51);
      stop.abort();
      await running;
    }));

  it('ends with the 101st stream', () =>
    inFreshScene(version, async (scene) => {
      const ns = scene.namespace();
      const streams = Array.from({ length: 100 }, () => scene.reader.follow());
      const startSeconds = scene.bucket(1);
      await scene.at(startSeconds);
      await scene.feed([{ startSeconds, srcNamespace: ns }]);
      await Promise.all(streams.map((stream) => stream.waitFor(ns, 1)));
      expect(scene.server.ended()).toBe(false);
      scene.newReader().follow();
      await until('the end of the server', () => scene.server.ended(), 10_000);
      await until('all to notice', () => streams.every((stream) => stream.error() !== undefined), 10_000);
    }));

  it('ends with a flow that has no key', () =>
    inFreshScene(version, async (scene) => {
      const node = new CollectorConnection(scene.server.target);
      const emptyFlow = Buffer.from([0x0a, 0x00]);
      await expect(node.sendBytes(emptyFlow)).rejects.toThrow('disconnected');
      await until('the end of the server', () => scene.server.ended(), 10_000);
    }));

  it('lives on when streams are closed before others are opened', () =>
    inFreshScene(version, async (scene) => {
      const ns = scene.namespace();
      for (let round = 0; round < 3; round++) {
        const streams = Array.from({ length: 60 }, () => scene.reader.follow(-60));
        const startSeconds = await scene.nextBucket();
        await scene.feed([{ startSeconds, srcNamespace: `${ns}-${round}` }]);
        await Promise.all(streams.map((stream) => stream.waitFor(`${ns}-${round}`, 1)));
        for (const stream of streams) stream.cancel();
        // The server needs a moment to notice.
        await scene.nextBucket();
      }
      expect(scene.server.ended()).toBe(false);
    }));
});
