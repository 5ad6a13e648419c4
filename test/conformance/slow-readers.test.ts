import { describe, expect, it } from 'vitest';
import { versions } from './environment.ts';
import { inScene, manyFlows } from './scene.ts';
import { until } from './waiting.ts';

// Sent a bucket ahead of their time, so that a busy machine does not make them late.
const RECORDS = { '3.30': 8_000, '3.32': 3_000 } as const;

describe.concurrent.each(versions.filter((version) => version === '3.30'))(
  'Beside a stopped reader of %s',
  (version) => {
    it('others get one record a second once its queue is full; it loses those that it kept waiting', () =>
      inScene({ version, speed: 4, bucketSeconds: 3 }, async (scene) => {
        const [ns, live] = [scene.namespace(), scene.namespace()];
        const stopped = scene.newReader().follow();
        const other = scene.newReader().follow();
        stopped.pause();
        const startSeconds = (await scene.nextBucket()) + scene.server.bucketSeconds;
        await scene.feed(manyFlows(RECORDS['3.30'], { startSeconds, srcNamespace: ns }));
        // What the queue of 5,000 and the transport hold goes through, then each record takes a second.
        await other.waitFor(ns, 5_000);
        let before = -1;
        await until(
          'the flow to become a trickle',
          async () => {
            const now = other.of(ns).length;
            const trickles = now - before < 3;
            before = now;
            await scene.at(scene.nowSeconds + 1);
            return trickles;
          },
          20_000,
        );
        const sinceSeconds = scene.nowSeconds;
        await scene.at(sinceSeconds + 8);
        const gained = other.of(ns).length - before;
        expect(gained).toBeGreaterThan(0);
        expect(gained).toBeLessThanOrEqual(scene.nowSeconds - sinceSeconds + 3);

        stopped.resume();
        await other.waitFor(ns, RECORDS['3.30']);
        await scene.feed([{ startSeconds: await scene.nextBucket(), srcNamespace: live }]);
        await Promise.all([stopped.waitFor(live, 1), other.waitFor(live, 1)]);
        expect(other.of(ns)).toHaveLength(RECORDS['3.30']);
        expect(stopped.of(ns).length).toBeGreaterThan(5_000);
        expect(stopped.of(ns).length).toBeLessThan(RECORDS['3.30']);
        expect(stopped.error()).toBeUndefined();
      }));
  },
);

describe.concurrent.each(versions.filter((version) => version === '3.32'))(
  'Beside a stopped reader of %s',
  (version) => {
    it('others get all; it loses the rest of a bucket after a minute', () =>
      inScene({ version, speed: 4, bucketSeconds: 3 }, async (scene) => {
        const [ns, live] = [scene.namespace(), scene.namespace()];
        const stopped = scene.newReader().follow();
        const other = scene.newReader().follow();
        stopped.pause();
        const startSeconds = (await scene.nextBucket()) + scene.server.bucketSeconds;
        await scene.feed(manyFlows(RECORDS['3.32'], { startSeconds, srcNamespace: ns }));
        await other.waitFor(ns, RECORDS['3.32']);
        const deliveredSeconds = scene.nowSeconds;
        // Its last chance is a minute after the first record that found no room.
        await scene.at(deliveredSeconds + 62);
        stopped.resume();
        await scene.feed([{ startSeconds: await scene.nextBucket(), srcNamespace: live }]);
        await Promise.all([stopped.waitFor(live, 1), other.waitFor(live, 1)]);
        expect(other.of(ns)).toHaveLength(RECORDS['3.32']);
        expect(stopped.of(ns).length).toBeGreaterThan(484);
        expect(stopped.of(ns).length).toBeLessThan(RECORDS['3.32']);
        expect(stopped.error()).toBeUndefined();
      }));
  },
);

describe.concurrent.each(versions)('A reader of %s that is slow for a while', (version) => {
  it('loses nothing as long as the queue holds', () =>
    inScene({ version, speed: 4, bucketSeconds: 3 }, async (scene) => {
      const ns = scene.namespace();
      const slow = scene.reader.follow();
      const startSeconds = (await scene.nextBucket()) + scene.server.bucketSeconds;
      await scene.feed(manyFlows(1_500, { startSeconds, srcNamespace: ns }));
      slow.pause();
      await scene.at(startSeconds + 3 * scene.server.bucketSeconds + 5);
      slow.resume();
      await slow.waitFor(ns, 1_500);
    }));
});
