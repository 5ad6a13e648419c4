import { describe, expect, it } from 'vitest';
import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import { SimulatedNode } from '../../dev/goldmane/node.ts';
import { subject, versions } from './environment.ts';
import { manyFlows, Harness } from './harness.ts';
import { openServer } from './server.ts';
import { until } from './waiting.ts';

/** Runs a test on a server that has just started; `Harness.open` waits until the first buckets are sent. */
async function withNewServer(
  version: '3.30' | '3.32',
  body: (harness: Harness) => Promise<void>,
): Promise<void> {
  const harness = new Harness(await openServer({ version, bucketSeconds: 3 }));
  try {
    await body(harness);
  } finally {
    await harness.close();
  }
}

// A server that was already running is not restarted.
const restartable = subject.kind === 'running' ? [] : versions;

describe.concurrent.each(restartable)('A server run of Goldmane %s', (version) => {
  it('begins at the start of a bucket', () =>
    withNewServer(version, async (harness) => {
      const { bucketSeconds, clock } = harness.server;
      const slackSeconds = 100 / clock.realMs(1000);
      for (let run = 0; run < 2; run++) {
        expect(harness.nowSeconds % bucketSeconds).toBeLessThan(1 + slackSeconds);
        await harness.server.kill();
        await harness.waitUntil(harness.nowSeconds + 0.4 * bucketSeconds);
        await harness.server.start();
      }
    }));

  it('streams its first bucket as soon as it ends, and later ones with a delay of one bucket', () =>
    withNewServer(version, async (harness) => {
      const ns = harness.namespace();
      const { bucketSeconds } = harness.server;
      const first = harness.bucket();
      const stream = harness.reader.follow();
      const starts = [first, first + bucketSeconds, first + 2 * bucketSeconds];
      for (const startSeconds of starts) {
        await harness.waitUntil(startSeconds);
        await harness.feed([{ startSeconds, srcNamespace: ns }]);
      }
      await stream.waitFor(ns, 3);
      expect(stream.of(ns).map(({ flow }) => flow.startTime)).toEqual(starts);
      const lags = stream.arrivals.map(
        (arrivalMs, index) => arrivalMs / 1000 - (starts[index] ?? 0) - bucketSeconds,
      );
      const slackSeconds = 150 / harness.server.clock.realMs(1000);
      expect(lags[0]).toBeLessThan(1 + slackSeconds);
      for (const lag of lags.slice(1)) {
        expect(lag).toBeGreaterThanOrEqual(bucketSeconds);
        expect(lag).toBeLessThan(bucketSeconds + slackSeconds);
      }
    }));

  it('accepts flows for the whole ring from the start, and assigns ids from 1', () =>
    withNewServer(version, async (harness) => {
      const ns = harness.namespace();
      const old = harness.bucket(-230);
      const records = await harness.feedAndList(ns, manyFlows(5, { startSeconds: old }));
      expect(new Set(records.map(({ id }) => id))).toEqual(new Set([1, 2, 3, 4, 5]));
      const stream = harness.reader.follow(old);
      await stream.waitFor(ns, 5);
    }));

  it('has no records of the previous run, and assigns other ids to the same keys', () =>
    withNewServer(version, async (harness) => {
      const ns = harness.namespace();
      const startSeconds = harness.bucket(-10);
      const flows = manyFlows(3, { startSeconds });
      await harness.feedAndList('other', manyFlows(10, { startSeconds }));
      const before = await harness.feedAndList(ns, flows);
      const stream = harness.reader.follow();
      await until(
        'the stream',
        async () => (await harness.reader.bucket(startSeconds, ns)).length === 3,
        5_000,
      );
      await harness.server.kill();
      await until('the end of the stream', () => stream.error() !== undefined, 5_000);
      expect(stream.error()?.code).toBe(14);
      await harness.server.start();
      const reader = harness.newReader();
      expect(await reader.bucket(startSeconds, ns)).toEqual([]);
      await harness.feed(flows.map((flow) => ({ ...flow, srcNamespace: ns })));
      await until('the flows', async () => (await reader.bucket(startSeconds, ns)).length === 3, 10_000);
      const ids = (await reader.bucket(startSeconds, ns)).map(({ id }) => id);
      expect(ids.filter((id) => before.some((record) => record.id === id))).toEqual([]);
    }));

  it('receives again what its nodes sent in the last five minutes', () =>
    withNewServer(version, async (harness) => {
      const ns = harness.namespace();
      const { clock, target, bucketSeconds } = harness.server;
      const node = new SimulatedNode({ target, clock, flushSeconds: 100_000 });
      const stop = new AbortController();
      const running = node.run(stop.signal);
      const startSeconds = harness.bucket();
      node.observe(manyFlows(50, { startSeconds, srcNamespace: ns }));
      node.flush();
      await until('receipts', () => node.sent === 50, 10_000);
      await harness.server.kill();
      await harness.server.start();
      const reader = harness.newReader();
      expect(await reader.bucket(startSeconds, ns)).toEqual([]);
      // A node detects the restart with its next flush.
      const next = harness.bucket();
      node.observe([{ startSeconds: next, srcNamespace: ns, srcName: 'next' }]);
      node.flush();
      const expected = next === startSeconds ? 51 : 50;
      await until(
        're-sent flows',
        async () => (await reader.bucket(startSeconds, ns)).length === expected,
        clock.realMs(30_000) + 20_000,
      );
      const all = await reader.list(startSeconds, next + bucketSeconds);
      expect(all.meta.totalResults).toBe(51);
      expect(node.resent).toBe(51);
      stop.abort();
      await running;
    }));

  it('crashes when the 101st stream opens', () =>
    withNewServer(version, async (harness) => {
      const ns = harness.namespace();
      const streams = Array.from({ length: 100 }, () => harness.reader.follow());
      const startSeconds = harness.bucket(1);
      await harness.waitUntil(startSeconds);
      await harness.feed([{ startSeconds, srcNamespace: ns }]);
      await Promise.all(streams.map((stream) => stream.waitFor(ns, 1)));
      expect(harness.server.ended()).toBe(false);
      harness.newReader().follow();
      await until('the end of the server', () => harness.server.ended(), 10_000);
      await until(
        'error on every stream',
        () => streams.every((stream) => stream.error() !== undefined),
        10_000,
      );
    }));

  it('crashes on a flow without a key', () =>
    withNewServer(version, async (harness) => {
      const node = new CollectorConnection(harness.server.target);
      const emptyFlow = Buffer.from([0x0a, 0x00]);
      await expect(node.sendBytes(emptyFlow)).rejects.toThrow('disconnected');
      await until('the end of the server', () => harness.server.ended(), 10_000);
    }));

  it('does not crash if streams are closed before others open', () =>
    withNewServer(version, async (harness) => {
      const ns = harness.namespace();
      for (let round = 0; round < 3; round++) {
        const streams = Array.from({ length: 60 }, () => harness.reader.follow(-60));
        const startSeconds = await harness.nextBucket();
        await harness.feed([{ startSeconds, srcNamespace: `${ns}-${round}` }]);
        await Promise.all(streams.map((stream) => stream.waitFor(`${ns}-${round}`, 1)));
        for (const stream of streams) stream.cancel();
        // The server detects the closed streams after a moment.
        await harness.nextBucket();
      }
      expect(harness.server.ended()).toBe(false);
    }));
});
