import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import { versions } from './environment.ts';
import { answers, freeze, prepareFreeze } from './freeze.ts';
import type { Received } from './reader.ts';
import { inScene, manyFlows } from './scene.ts';
import { until } from './waiting.ts';

describe.concurrent.each(versions)('The main loop of %s', (version) => {
  // Slow enough that the minute for which 3.32 is patient is several seconds of the stand-in.
  const needs = { version, speed: 4 };

  it('can be held by one reader that does not read, and nobody is answered meanwhile', () =>
    inScene(needs, async (scene) => {
      const { thaw } = await freeze(scene);
      expect(await answers(scene)).toBe(false);
      thaw();
      await until('an answer', () => answers(scene), 10_000);
    }));

  it('while held, lets 5,000 flows wait and drops those that find no room for 5 s', () =>
    inScene(needs, async (scene) => {
      const ns = scene.namespace();
      const startSeconds = scene.bucket(-100);
      const { thaw } = await freeze(scene);
      const node = new CollectorConnection(scene.server.target);
      await node.sendAll(manyFlows(5_000, { startSeconds, srcNamespace: ns }));
      const fullAtSeconds = scene.nowSeconds;
      await node.sendAll(manyFlows(2, { startSeconds, srcNamespace: ns, srcName: 'too-many', dstPort: 1 }));
      expect(scene.nowSeconds - fullAtSeconds).toBeGreaterThan(9.9);
      expect(scene.nowSeconds - fullAtSeconds).toBeLessThan(30);
      thaw();
      await node.send({ startSeconds, srcNamespace: ns, srcName: 'last' });
      await until(
        'the last flow',
        async () =>
          (await scene.reader.bucket(startSeconds, ns)).some(({ flow }) => flow.Key.sourceName === 'last'),
        20_000,
      );
      expect(await scene.reader.bucket(startSeconds, ns)).toHaveLength(5_001);
      await node.close();
    }));

  it('can bring a record twice to a stream, once as history and once live', () =>
    inScene(needs, async (scene) => {
      const ns = scene.namespace();
      const { bucketSeconds } = scene.server;
      const stop = await prepareFreeze(scene);
      const filling = await scene.nextBucket();
      // The one that is sent next when the loop stops, in which case a stream may get it both ways, is among these.
      const buckets = [filling - bucketSeconds, filling, filling + bucketSeconds];
      for (const startSeconds of buckets) await scene.feedAndSee(ns, manyFlows(3, { startSeconds }));
      const { thaw } = await stop();
      // Whether rollover or history comes first is left to chance, each time anew.
      const streams = Array.from({ length: 8 }, () => scene.newReader().follow(filling - 5 * bucketSeconds));
      // A rollover falls due, and waits.
      await scene.nextBucket(2);
      thaw();
      const live = scene.namespace();
      await until('an answer', () => answers(scene), 10_000);
      await scene.feed([{ startSeconds: await scene.nextBucket(), srcNamespace: live }]);
      await Promise.all(streams.map((stream) => stream.waitFor(live, 1)));
      const counts = streams.flatMap((stream) =>
        stream.of(ns).map(({ id, flow }) => stream.of(ns).filter((other) => isSame(other, id, flow)).length),
      );
      expect(counts.length).toBeGreaterThanOrEqual(8 * 9);
      expect(new Set(counts)).toEqual(new Set([1, 2]));
    }));
});

/** The same key and bucket, and the same to the last counter. */
function isSame(other: Received, id: number, flow: Received['flow']): boolean {
  return other.id === id && isDeepStrictEqual(other.flow, flow);
}
