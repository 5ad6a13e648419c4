import { describe, expect, it } from 'vitest';
import { versions } from './environment.ts';
import { withServer, manyFlows } from './harness.ts';
import { until } from './waiting.ts';

// Sent one bucket early, so that they are not late on a busy machine.
const RECORDS = { '3.30': 8_000, '3.32': 3_000 } as const;

describe.concurrent.each(versions.filter((version) => version === '3.30'))(
  'A stream of Goldmane %s that is not read',
  (version) => {
    it('slows all other streams to one record per second when its queue is full, and loses these records', () =>
      withServer({ version, speed: 4, bucketSeconds: 3 }, async (harness) => {
        const [ns, live] = [harness.namespace(), harness.namespace()];
        const stopped = harness.newReader().follow();
        const other = harness.newReader().follow();
        stopped.pause();
        const startSeconds = (await harness.nextBucket()) + harness.server.bucketSeconds;
        await harness.feed(manyFlows(RECORDS['3.30'], { startSeconds, srcNamespace: ns }));
        // The queue of 5,000 and the transport's buffers fill first; then each record takes a second.
        await other.waitFor(ns, 5_000);
        let before = -1;
        await until(
          'at most two records per second',
          async () => {
            const now = other.of(ns).length;
            const isSlow = now - before < 3;
            before = now;
            await harness.waitUntil(harness.nowSeconds + 1);
            return isSlow;
          },
          20_000,
        );
        const sinceSeconds = harness.nowSeconds;
        await harness.waitUntil(sinceSeconds + 8);
        const received = other.of(ns).length - before;
        expect(received).toBeGreaterThan(0);
        expect(received).toBeLessThanOrEqual(harness.nowSeconds - sinceSeconds + 3);

        stopped.resume();
        await other.waitFor(ns, RECORDS['3.30']);
        await harness.feed([{ startSeconds: await harness.nextBucket(), srcNamespace: live }]);
        await Promise.all([stopped.waitFor(live, 1), other.waitFor(live, 1)]);
        expect(other.of(ns)).toHaveLength(RECORDS['3.30']);
        expect(stopped.of(ns).length).toBeGreaterThan(5_000);
        expect(stopped.of(ns).length).toBeLessThan(RECORDS['3.30']);
        expect(stopped.error()).toBeUndefined();
      }));
  },
);

describe.concurrent.each(versions.filter((version) => version === '3.32'))(
  'A stream of Goldmane %s that is not read',
  (version) => {
    it('does not affect other streams, and loses the rest of a bucket after a minute', () =>
      withServer({ version, speed: 4, bucketSeconds: 3 }, async (harness) => {
        const [ns, live] = [harness.namespace(), harness.namespace()];
        const stopped = harness.newReader().follow();
        const other = harness.newReader().follow();
        stopped.pause();
        const startSeconds = (await harness.nextBucket()) + harness.server.bucketSeconds;
        await harness.feed(manyFlows(RECORDS['3.32'], { startSeconds, srcNamespace: ns }));
        await other.waitFor(ns, RECORDS['3.32']);
        const deliveredSeconds = harness.nowSeconds;
        // The server gives up a minute after the first record that did not fit into the queue.
        await harness.waitUntil(deliveredSeconds + 62);
        stopped.resume();
        await harness.feed([{ startSeconds: await harness.nextBucket(), srcNamespace: live }]);
        await Promise.all([stopped.waitFor(live, 1), other.waitFor(live, 1)]);
        expect(other.of(ns)).toHaveLength(RECORDS['3.32']);
        expect(stopped.of(ns).length).toBeGreaterThan(484);
        expect(stopped.of(ns).length).toBeLessThan(RECORDS['3.32']);
        expect(stopped.error()).toBeUndefined();
      }));
  },
);

describe.concurrent.each(versions)('A stream of Goldmane %s that is not read for a while', (version) => {
  it('loses nothing while its queue has space', () =>
    withServer({ version, speed: 4, bucketSeconds: 3 }, async (harness) => {
      const ns = harness.namespace();
      const slow = harness.reader.follow();
      const startSeconds = (await harness.nextBucket()) + harness.server.bucketSeconds;
      await harness.feed(manyFlows(1_500, { startSeconds, srcNamespace: ns }));
      slow.pause();
      await harness.waitUntil(startSeconds + 3 * harness.server.bucketSeconds + 5);
      slow.resume();
      await slow.waitFor(ns, 1_500);
    }));
});
