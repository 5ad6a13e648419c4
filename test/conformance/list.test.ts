import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockInRefusal } from '../../src/goldmane/requests.ts';
import { versions } from './environment.ts';
import { manyFlows, Scene } from './scene.ts';
import { until } from './waiting.ts';

describe.each(versions)('Flows.List of %s', (version) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ version });
  });
  afterAll(() => scene?.close());

  it.concurrent('of one bucket is exactly that bucket, and says how many records that are', async () => {
    const ns = scene.namespace();
    const { bucketSeconds } = scene.server;
    const startSeconds = scene.bucket(-40);
    for (const offset of [-1, 1]) {
      await scene.feedAndSee(ns, manyFlows(50, { startSeconds: startSeconds + offset * bucketSeconds }));
    }
    await scene.feedAndSee(ns, manyFlows(300, { startSeconds }));
    const answer = await scene.reader.list(startSeconds, startSeconds + bucketSeconds);
    expect(answer.meta).toEqual({ totalPages: 1, totalResults: 300 });
    expect(answer.flows).toHaveLength(300);
    expect(new Set(answer.flows.map(({ flow }) => flow.Key.sourceName)).size).toBe(300);
    for (const { flow } of answer.flows) {
      expect([flow.startTime, flow.endTime]).toEqual([startSeconds, startSeconds + bucketSeconds]);
    }
  });

  it.concurrent('gives the records of a bucket in another order each time', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-50);
    await scene.feedAndSee(ns, manyFlows(100, { startSeconds }));
    const orders = await Promise.all(
      [1, 2, 3].map(async () => (await scene.reader.bucket(startSeconds, ns)).map(({ id }) => id)),
    );
    expect(orders[1]).not.toEqual(orders[0]);
    expect(orders[2]).not.toEqual(orders[1]);
    expect(orders[1]?.toSorted()).toEqual(orders[0]?.toSorted());
  });

  it.concurrent('of a bucket without flows is empty, and so it is of one beyond the ring', async () => {
    const { bucketSeconds } = scene.server;
    const empty = { meta: { totalPages: 0, totalResults: 0 }, flows: [] };
    for (const offset of [-60, -241, -10_000, 5]) {
      const startSeconds = scene.bucket(offset);
      expect(await scene.reader.list(startSeconds, startSeconds + bucketSeconds)).toEqual(empty);
    }
  });

  it.concurrent('has late flows', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-70);
    await scene.feedAndSee(ns, [{ startSeconds, srcName: 'a' }]);
    await scene.feedAndSee(ns, [{ startSeconds, srcName: 'b' }], 2);
  });

  it.concurrent('of several buckets joins the windows of a key, newest keys first', async () => {
    const ns = scene.namespace();
    const { bucketSeconds } = scene.server;
    const first = scene.bucket(-80);
    const second = first + bucketSeconds;
    await scene.feedAndSee(ns, [
      {
        startSeconds: first,
        srcName: 'twice',
        packetsIn: 1,
        sourceLabels: ['a=1', 'b=1'],
        destLabels: ['c=1'],
      },
      { startSeconds: first, srcName: 'once' },
    ]);
    await scene.feedAndSee(ns, [
      { startSeconds: second, srcName: 'twice', packetsIn: 2, sourceLabels: ['b=1'], destLabels: ['d=1'] },
      { startSeconds: second, srcName: 'newer' },
    ]);
    const { flows, meta } = await scene.reader.list(first, second + bucketSeconds);
    expect(meta.totalResults).toBe(3);
    expect(flows[0]?.flow.Key.sourceName).toBe('newer');
    expect(flows.find(({ flow }) => flow.Key.sourceName === 'twice')?.flow).toMatchObject({
      startTime: first,
      endTime: second + bucketSeconds,
      packetsIn: 3,
      sourceLabels: ['b=1'],
      destLabels: [],
    });
  });

  it.concurrent('with an end inside a bucket, has its records without times or counts', async () => {
    const ns = scene.namespace();
    const { bucketSeconds } = scene.server;
    const startSeconds = scene.bucket(-90);
    await scene.feedAndSee(ns, [{ startSeconds, sourceLabels: ['a=1'] }]);
    const answer = await scene.reader.list(startSeconds - bucketSeconds + 1, startSeconds + 1);
    expect(answer.flows).toHaveLength(1);
    expect(answer.flows[0]?.flow).toMatchObject({ startTime: 0, endTime: 0, packetsIn: 0, sourceLabels: [] });
    const from = await scene.reader.list(startSeconds + 1, startSeconds + bucketSeconds);
    expect(from.flows).toEqual([]);
  });

  it.concurrent('takes 0 for the oldest bucket and for now, and negative bounds as before now', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-100);
    await scene.feedAndSee(ns, [{ startSeconds }]);
    const { bucketSeconds } = scene.server;
    const ago = Math.floor(scene.nowSeconds) - startSeconds;
    const ranges = [
      [0, 0],
      [startSeconds, 0],
      [-ago - 20 * bucketSeconds, -ago + 20 * bucketSeconds],
    ] as const;
    for (const [gte, lt] of ranges) {
      const { flows } = await scene.reader.list(gte, lt);
      expect(flows.filter(({ flow }) => flow.Key.sourceNamespace === ns)).toHaveLength(1);
    }
  });

  it.concurrent('refuses a range that ends before it begins', async () => {
    const startSeconds = scene.bucket(-10);
    await expect(scene.reader.list(startSeconds, startSeconds)).rejects.toMatchObject({ code: 2 });
  });

  it.concurrent('says what its clock shows when it refuses a range that begins before now', async () => {
    const before = Math.floor(scene.nowSeconds);
    const shown = await scene.reader.list(-1, 1).then(
      () => undefined,
      (error: unknown) => clockInRefusal(String(error)),
    );
    const after = Math.floor(scene.nowSeconds);
    expect(shown).toBeGreaterThanOrEqual(before);
    expect(shown).toBeLessThanOrEqual(after + 1);
  });

  it.concurrent('stays exact while flows come in', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-110);
    await scene.feedAndSee(ns, manyFlows(200, { startSeconds }));
    const busy = scene.feed(manyFlows(5_000, { startSeconds: scene.bucket(-120), srcNamespace: 'busy' }));
    for (let call = 0; call < 10; call++) {
      expect(await scene.reader.bucket(startSeconds, ns)).toHaveLength(200);
    }
    await busy;
  });

  it.concurrent('of more than 4 MB needs a reader that takes more', async () => {
    const ns = scene.namespace();
    const startSeconds = scene.bucket(-130);
    const large = scene.newReader({ maxReceiveBytes: 64 * 1024 * 1024 });
    await scene.feed(manyFlows(600, { startSeconds, srcNamespace: ns, dstName: 'd'.repeat(10_000) }));
    await until('600 records', async () => (await large.bucket(startSeconds, ns)).length === 600, 20_000);
    await expect(scene.reader.bucket(startSeconds, ns)).rejects.toMatchObject({ code: 8 });
  });
});

describe.each(versions)('Flows.List of %s, abandoned', (version) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ version });
  });
  afterAll(() => scene?.close());

  it('is worked off all the same, and the next one waits for it', async () => {
    const startSeconds = scene.bucket(-40);
    const ns = scene.namespace();
    const patient = scene.newReader({ maxReceiveBytes: 64 * 1024 * 1024 });
    await scene.feed(manyFlows(20_000, { startSeconds, srcNamespace: ns }));
    await until(
      'all records',
      async () => (await patient.bucket(startSeconds, ns)).length === 20_000,
      30_000,
    );
    const end = startSeconds + scene.server.bucketSeconds;
    const take = async (): Promise<number> => {
      const begun = performance.now();
      // A bucket without flows: all the time it takes is spent waiting for others.
      await patient.list(scene.bucket(-200), scene.bucket(-199));
      return performance.now() - begun;
    };
    const aloneMs = Math.min(await take(), await take(), await take());
    await Promise.all(Array.from({ length: 60 }, () => scene.reader.abandon(startSeconds, end, 100)));
    const afterMs = await take();
    expect(afterMs).toBeGreaterThan(aloneMs * 5);
    expect(afterMs).toBeGreaterThan(200);
  });
});
