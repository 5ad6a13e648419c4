import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import { versions } from './environment.ts';
import { listAnswers, blockMainLoop, prepareBlock } from './block-main-loop.ts';
import type { Received } from './reader.ts';
import { withServer, manyFlows } from './harness.ts';
import { until } from './waiting.ts';

describe.concurrent.each(versions)('The main loop of Goldmane %s', (version) => {
  // Slow enough that the minute that 3.32 waits for a stream takes the stand-in several seconds.
  const options = { version, speed: 4 };

  it('is blocked for all clients by one stream that is not read', () =>
    withServer(options, async (harness) => {
      const { unblock } = await blockMainLoop(harness);
      expect(await listAnswers(harness)).toBe(false);
      unblock();
      await until('an answer', () => listAnswers(harness), 10_000);
    }));

  it('queues 5,000 flows while it is blocked, and drops flows that wait longer than 5 s for space', () =>
    withServer(options, async (harness) => {
      const ns = harness.namespace();
      const startSeconds = harness.bucket(-100);
      const { unblock } = await blockMainLoop(harness);
      const node = new CollectorConnection(harness.server.target);
      await node.sendAll(manyFlows(5_000, { startSeconds, srcNamespace: ns }));
      const fullAtSeconds = harness.nowSeconds;
      await node.sendAll(manyFlows(2, { startSeconds, srcNamespace: ns, srcName: 'too-many', dstPort: 1 }));
      expect(harness.nowSeconds - fullAtSeconds).toBeGreaterThan(9.9);
      expect(harness.nowSeconds - fullAtSeconds).toBeLessThan(30);
      unblock();
      await node.send({ startSeconds, srcNamespace: ns, srcName: 'last' });
      await until(
        'the last flow',
        async () =>
          (await harness.reader.bucket(startSeconds, ns)).some(({ flow }) => flow.Key.sourceName === 'last'),
        20_000,
      );
      expect(await harness.reader.bucket(startSeconds, ns)).toHaveLength(5_001);
      await node.close();
    }));

  it('may send a stream the same record twice, as history and live', () =>
    withServer(options, async (harness) => {
      const ns = harness.namespace();
      const { bucketSeconds } = harness.server;
      const block = await prepareBlock(harness);
      const filling = await harness.nextBucket();
      // One of these buckets is sent next when the loop is blocked. A stream may receive that one twice.
      const buckets = [filling - bucketSeconds, filling, filling + bucketSeconds];
      for (const startSeconds of buckets) await harness.feedAndList(ns, manyFlows(3, { startSeconds }));
      const { unblock } = await block();
      // For each stream it is random whether rollover or history comes first.
      const streams = Array.from({ length: 8 }, () =>
        harness.newReader().follow(filling - 5 * bucketSeconds),
      );
      // A rollover becomes due and waits.
      await harness.nextBucket(2);
      unblock();
      const live = harness.namespace();
      await until('an answer', () => listAnswers(harness), 10_000);
      await harness.feed([{ startSeconds: await harness.nextBucket(), srcNamespace: live }]);
      await Promise.all(streams.map((stream) => stream.waitFor(live, 1)));
      const counts = streams.flatMap((stream) =>
        stream.of(ns).map(({ id, flow }) => stream.of(ns).filter((other) => isSame(other, id, flow)).length),
      );
      expect(counts.length).toBeGreaterThanOrEqual(8 * 9);
      expect(new Set(counts)).toEqual(new Set([1, 2]));
    }));
});

/** Whether key, bucket and all counters are equal. */
function isSame(other: Received, id: number, flow: Received['flow']): boolean {
  return other.id === id && isDeepStrictEqual(other.flow, flow);
}
