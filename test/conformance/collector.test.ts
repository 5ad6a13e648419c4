import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import { versions } from './environment.ts';
import { Harness } from './harness.ts';
import { until } from './waiting.ts';

describe.each(versions)('FlowCollector.Connect in Goldmane %s', (version) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open({ version });
  });
  afterAll(() => harness?.close());

  it.concurrent('acknowledges every update, including flows outside the ring, which it drops', async () => {
    const ns = harness.namespace();
    const { bucketSeconds } = harness.server;
    const filling = await harness.nextBucket();
    const oldest = filling - 240 * bucketSeconds;
    const connection = new CollectorConnection(harness.server.target);
    const inRing = [oldest + bucketSeconds, filling, filling + bucketSeconds];
    const outsideRing = [oldest - 1, filling + 3 * bucketSeconds, 1];
    for (const startSeconds of [...outsideRing, ...inRing])
      await connection.send({ startSeconds, srcNamespace: ns });
    await connection.close();
    for (const startSeconds of inRing) {
      await until(
        `the flow of bucket ${startSeconds - filling} s`,
        async () => (await harness.reader.bucket(startSeconds, ns)).length === 1,
        10_000,
      );
    }
    const all = await harness.reader.list(1, filling + 10 * bucketSeconds);
    const mine = all.flows.filter(({ flow }) => flow.Key.sourceNamespace === ns);
    expect(mine.map(({ flow }) => flow.numConnectionsStarted)).toEqual([inRing.length]);
  });

  it.concurrent('counts a flow once if the same connection sends it again, even with other counters', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-20);
    const connection = new CollectorConnection(harness.server.target);
    await connection.send({ startSeconds, srcNamespace: ns, packetsIn: 1 });
    await connection.send({ startSeconds, srcNamespace: ns, packetsIn: 5 });
    await connection.send({ startSeconds, srcNamespace: ns, endSeconds: startSeconds + 1, packetsIn: 10 });
    await connection.send({ startSeconds, srcNamespace: ns, srcName: 'last' });
    await connection.close();
    const records = await harness.feedAndList(ns, [{ startSeconds, srcName: 'later' }], 3);
    expect(records.find(({ flow }) => flow.Key.sourceName === 'client-*')?.flow.packetsIn).toBe(11);
  });

  it.concurrent('counts a flow twice if another connection sends it again', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-20);
    await harness.feed([{ startSeconds, srcNamespace: ns, packetsIn: 1 }]);
    await harness.feed([{ startSeconds, srcNamespace: ns, packetsIn: 1 }]);
    await until(
      'both flows',
      async () => (await harness.reader.bucket(startSeconds, ns))[0]?.flow.packetsIn === 2,
      10_000,
    );
  });
});
