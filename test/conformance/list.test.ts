import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockInRefusal } from '../../src/goldmane/requests.ts';
import { versions } from './environment.ts';
import { manyFlows, Harness } from './harness.ts';
import { until } from './waiting.ts';

describe.each(versions)('Flows.List in Goldmane %s', (version) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open({ version });
  });
  afterAll(() => harness?.close());

  it.concurrent('returns exactly the requested bucket, with its number of records', async () => {
    const ns = harness.namespace();
    const { bucketSeconds } = harness.server;
    const startSeconds = harness.bucket(-40);
    for (const offset of [-1, 1]) {
      await harness.feedAndList(ns, manyFlows(50, { startSeconds: startSeconds + offset * bucketSeconds }));
    }
    await harness.feedAndList(ns, manyFlows(300, { startSeconds }));
    const answer = await harness.reader.list(startSeconds, startSeconds + bucketSeconds);
    expect(answer.meta).toEqual({ totalPages: 1, totalResults: 300 });
    expect(answer.flows).toHaveLength(300);
    expect(new Set(answer.flows.map(({ flow }) => flow.Key.sourceName)).size).toBe(300);
    for (const { flow } of answer.flows) {
      expect([flow.startTime, flow.endTime]).toEqual([startSeconds, startSeconds + bucketSeconds]);
    }
  });

  it.concurrent('returns the records of a bucket in a different order each time', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-50);
    await harness.feedAndList(ns, manyFlows(100, { startSeconds }));
    const orders = await Promise.all(
      [1, 2, 3].map(async () => (await harness.reader.bucket(startSeconds, ns)).map(({ id }) => id)),
    );
    expect(orders[1]).not.toEqual(orders[0]);
    expect(orders[2]).not.toEqual(orders[1]);
    expect(orders[1]?.toSorted()).toEqual(orders[0]?.toSorted());
  });

  it.concurrent('returns no records for a bucket without flows or outside the ring', async () => {
    const { bucketSeconds } = harness.server;
    const empty = { meta: { totalPages: 0, totalResults: 0 }, flows: [] };
    for (const offset of [-60, -241, -10_000, 5]) {
      const startSeconds = harness.bucket(offset);
      expect(await harness.reader.list(startSeconds, startSeconds + bucketSeconds)).toEqual(empty);
    }
  });

  it.concurrent('includes late flows', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-70);
    await harness.feedAndList(ns, [{ startSeconds, srcName: 'a' }]);
    await harness.feedAndList(ns, [{ startSeconds, srcName: 'b' }], 2);
  });

  it.concurrent('merges the records of a key over several buckets, newest keys first', async () => {
    const ns = harness.namespace();
    const { bucketSeconds } = harness.server;
    const first = harness.bucket(-80);
    const second = first + bucketSeconds;
    await harness.feedAndList(ns, [
      {
        startSeconds: first,
        srcName: 'twice',
        packetsIn: 1,
        sourceLabels: ['a=1', 'b=1'],
        destLabels: ['c=1'],
      },
      { startSeconds: first, srcName: 'once' },
    ]);
    await harness.feedAndList(ns, [
      { startSeconds: second, srcName: 'twice', packetsIn: 2, sourceLabels: ['b=1'], destLabels: ['d=1'] },
      { startSeconds: second, srcName: 'newer' },
    ]);
    const { flows, meta } = await harness.reader.list(first, second + bucketSeconds);
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

  it.concurrent('returns records without times and counts if the range ends inside their bucket', async () => {
    const ns = harness.namespace();
    const { bucketSeconds } = harness.server;
    const startSeconds = harness.bucket(-90);
    await harness.feedAndList(ns, [{ startSeconds, sourceLabels: ['a=1'] }]);
    const answer = await harness.reader.list(startSeconds - bucketSeconds + 1, startSeconds + 1);
    expect(answer.flows).toHaveLength(1);
    expect(answer.flows[0]?.flow).toMatchObject({ startTime: 0, endTime: 0, packetsIn: 0, sourceLabels: [] });
    const from = await harness.reader.list(startSeconds + 1, startSeconds + bucketSeconds);
    expect(from.flows).toEqual([]);
  });

  it.concurrent('treats a start of 0 as the oldest bucket, an end of 0 as now, and negative bounds as relative to now', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-100);
    await harness.feedAndList(ns, [{ startSeconds }]);
    const { bucketSeconds } = harness.server;
    const ageSeconds = Math.floor(harness.nowSeconds) - startSeconds;
    const ranges = [
      [0, 0],
      [startSeconds, 0],
      [-ageSeconds - 20 * bucketSeconds, -ageSeconds + 20 * bucketSeconds],
    ] as const;
    for (const [gte, lt] of ranges) {
      const { flows } = await harness.reader.list(gte, lt);
      expect(flows.filter(({ flow }) => flow.Key.sourceNamespace === ns)).toHaveLength(1);
    }
  });

  it.concurrent('rejects an empty range', async () => {
    const startSeconds = harness.bucket(-10);
    await expect(harness.reader.list(startSeconds, startSeconds)).rejects.toMatchObject({ code: 2 });
  });

  it.concurrent('states its clock time in the error about a range that mixes a relative start and an absolute end', async () => {
    const before = Math.floor(harness.nowSeconds);
    const shown = await harness.reader.list(-1, 1).then(
      () => undefined,
      (error: unknown) => clockInRefusal(String(error)),
    );
    const after = Math.floor(harness.nowSeconds);
    expect(shown).toBeGreaterThanOrEqual(before);
    expect(shown).toBeLessThanOrEqual(after + 1);
  });

  it.concurrent('returns exact results while flows arrive', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-110);
    await harness.feedAndList(ns, manyFlows(200, { startSeconds }));
    const busy = harness.feed(manyFlows(5_000, { startSeconds: harness.bucket(-120), srcNamespace: 'busy' }));
    for (let call = 0; call < 10; call++) {
      expect(await harness.reader.bucket(startSeconds, ns)).toHaveLength(200);
    }
    await busy;
  });

  it.concurrent('fails with RESOURCE_EXHAUSTED above 4 MB unless the client accepts more', async () => {
    const ns = harness.namespace();
    const startSeconds = harness.bucket(-130);
    const large = harness.newReader({ maxReceiveBytes: 64 * 1024 * 1024 });
    await harness.feed(manyFlows(600, { startSeconds, srcNamespace: ns, dstName: 'd'.repeat(10_000) }));
    await until('600 records', async () => (await large.bucket(startSeconds, ns)).length === 600, 20_000);
    await expect(harness.reader.bucket(startSeconds, ns)).rejects.toMatchObject({ code: 8 });
  });
});

describe.each(versions)('A cancelled Flows.List in Goldmane %s', (version) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open({ version });
  });
  afterAll(() => harness?.close());

  it('is still processed, and delays the next request', async () => {
    const startSeconds = harness.bucket(-40);
    const ns = harness.namespace();
    const patient = harness.newReader({ maxReceiveBytes: 64 * 1024 * 1024 });
    await harness.feed(manyFlows(20_000, { startSeconds, srcNamespace: ns }));
    await until(
      'all records',
      async () => (await patient.bucket(startSeconds, ns)).length === 20_000,
      30_000,
    );
    const end = startSeconds + harness.server.bucketSeconds;
    const listMs = async (): Promise<number> => {
      const begun = performance.now();
      // The bucket has no flows, so the time is spent waiting for other requests.
      await patient.list(harness.bucket(-200), harness.bucket(-199));
      return performance.now() - begun;
    };
    const aloneMs = Math.min(await listMs(), await listMs(), await listMs());
    await Promise.all(Array.from({ length: 60 }, () => harness.reader.abandon(startSeconds, end, 100)));
    const afterMs = await listMs();
    expect(afterMs).toBeGreaterThan(aloneMs * 5);
  });
});
