import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectorConnection } from '../../dev/goldmane/collector-client.ts';
import { versions } from './environment.ts';
import { Scene } from './scene.ts';
import { until } from './waiting.ts';

describe.each(versions)('FlowCollector.Connect of %s', (version) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ version });
  });
  afterAll(() => scene?.close());

  it.concurrent('receipts each update, also of a flow that the ring has no bucket for', async () => {
    const ns = scene.namespace();
    const { bucketSeconds } = scene.server;
    const filling = await scene.nextBucket();
    const oldest = filling - 240 * bucketSeconds;
    const connection = new CollectorConnection(scene.server.target);
    const kept = [oldest + bucketSeconds, filling, filling + bucketSeconds];
    const lost = [oldest - 1, filling + 3 * bucketSeconds, 1];
    for (const startSeconds of [...lost, ...kept]) await connection.send({ startSeconds, srcNamespace: ns });
    await connection.close();
    for (const startSeconds of kept) {
      await until(
        `the flow of bucket ${startSeconds - filling} s`,
        async () => (await scene.reader.bucket(startSeconds, ns)).length === 1,
        10_000,
      );
    }
    const all = await scene.reader.list(1, filling + 10 * bucketSeconds);
    const mine = all.flows.filter(({ flow }) => flow.Key.sourceNamespace === ns);
    expect(mine.map(({ flow }) => flow.numConnectionsStarted)).toEqual([kept.length]);
  });

  it.concurrent('counts a flow once that comes again over the same connection, whatever it counts', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-20);
    const connection = new CollectorConnection(scene.server.target);
    await connection.send({ startSeconds, srcNamespace: ns, packetsIn: 1 });
    await connection.send({ startSeconds, srcNamespace: ns, packetsIn: 5 });
    await connection.send({ startSeconds, srcNamespace: ns, endSeconds: startSeconds + 1, packetsIn: 10 });
    await connection.send({ startSeconds, srcNamespace: ns, srcName: 'last' });
    await connection.close();
    const records = await scene.feedAndSee(ns, [{ startSeconds, srcName: 'later' }], 3);
    expect(records.find(({ flow }) => flow.Key.sourceName === 'client-*')?.flow.packetsIn).toBe(11);
  });

  it.concurrent('counts a flow twice that comes again over another connection', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-20);
    await scene.feed([{ startSeconds, srcNamespace: ns, packetsIn: 1 }]);
    await scene.feed([{ startSeconds, srcNamespace: ns, packetsIn: 1 }]);
    await until(
      'both',
      async () => (await scene.reader.bucket(startSeconds, ns))[0]?.flow.packetsIn === 2,
      10_000,
    );
  });
});
