import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readExportState } from '../../src/trail/export/export-state.ts';
import { casesOf } from '../support/full.ts';
import { partialSuccess } from '../support/log-receiver.ts';
import { Exporting, exportStart, threeFlows, uniqueBucketOf } from './export-harness.ts';

const hour = 3_600;

let scene: Exporting;
beforeEach(async () => {
  scene = await Exporting.create(exportStart, threeFlows);
});
afterEach(() => scene.close());

describe('an outage of the receiver', () => {
  test('of 40 minutes: everything is sent afterwards, without a gap', async () => {
    scene.receiver.react = (_logs, response) => {
      response.writeHead(503).end();
      return 'answered';
    };
    await scene.both(40);
    expect(scene.receiver.accepted).toEqual([]);
    expect((await readExportState(scene.settling.db.database.query)).trouble?.text).toContain('503');
    scene.receiver.react = () => undefined;
    await scene.both(40);
    expect(scene.completeBuckets()).toEqual(await scene.settledBuckets());
    expect(await scene.gaps()).toEqual([]);
  });

  test('of two hours: buckets that left the ring are a gap of the export, with its cause, but not of the trail', async () => {
    await scene.both(20);
    const lastSent = Math.max(...scene.completeBuckets());
    scene.receiver.react = (_logs, response) => {
      response.writeHead(503).end();
      return 'answered';
    };
    await scene.both(120);
    scene.receiver.react = () => undefined;
    await scene.both(70);
    const gaps = await scene.gaps();
    expect(gaps).toEqual([
      {
        fromSeconds: lastSent + 15,
        toSeconds: expect.any(Number),
        reason: 'not_exported',
        cause: expect.stringContaining('503'),
        records: expect.any(Number),
      },
    ]);
    const [gap] = gaps;
    if (!gap) throw new Error('no gap');
    expect(gap.records).toBe(3 * ((gap.toSeconds - gap.fromSeconds) / 15));
    // Every bucket is either complete at the receiver or in the gap.
    const complete = new Set(scene.completeBuckets());
    for (let bucket = exportStart; bucket < scene.nowSeconds - hour; bucket += 15)
      expect(complete.has(bucket)).toBe(bucket < gap.fromSeconds || bucket >= gap.toSeconds);
    expect(await scene.settling.gaps()).toEqual([]);
  });
});

test('a record that the receiver rejects is skipped, counted and reported; the others arrive', async () => {
  const poison = exportStart + 300;
  const isPoison = (name: unknown) => uniqueBucketOf(name) === poison;
  scene.receiver.react = (logs, response) => {
    if (!logs.some(({ attributes }) => isPoison(attributes['calico.source.name']))) return undefined;
    response.writeHead(400, { 'content-type': 'text/plain' }).end('no such tenant');
    return 'answered';
  };
  await scene.both(75);
  expect(scene.receiver.accepted.some(({ attributes }) => isPoison(attributes['calico.source.name']))).toBe(
    false,
  );
  expect(scene.completeBuckets()).toEqual(
    (await scene.settledBuckets()).filter((bucket) => bucket !== poison),
  );
  expect(await scene.gaps()).toEqual([
    {
      fromSeconds: poison,
      toSeconds: poison + 15,
      reason: 'rejected',
      cause: expect.stringContaining('no such tenant'),
      records: 1,
    },
  ]);
});

const poisoned = casesOf<[string, (response: ServerResponse) => unknown]>([
  ['answers 500', (response) => response.writeHead(500).end()],
  [
    'is behind a filter that answers 403',
    (response) => response.writeHead(403, { 'content-type': 'text/html' }).end('blocked'),
  ],
  ['closes the connection', (response) => response.destroy()],
]);

test.each(poisoned)(
  'a receiver that %s at one record gets all others, and that record is left out, counted and named',
  async (_what, fail) => {
    const poison = exportStart + 300;
    scene.receiver.react = (logs, response) => {
      if (!logs.some(({ attributes }) => uniqueBucketOf(attributes['calico.source.name']) === poison))
        return undefined;
      fail(response);
      return 'answered';
    };
    await scene.settling.run(15);
    await scene.export(1);
    // Later buckets do not wait for the one that fails.
    expect(scene.completeBuckets()).toEqual(
      (await scene.settledBuckets()).filter((bucket) => bucket !== poison),
    );
    await scene.settling.run(5);
    await scene.export(13);
    const ofPoison = scene.receiver.accepted.filter(
      ({ attributes }) => attributes['calico.bucket.start'] === new Date(poison * 1_000).toISOString(),
    );
    expect(new Set(ofPoison.map(({ id }) => id)).size).toBe(2);
    const rejected = await scene.settling.db.database.query(
      'select extract(epoch from bucket)::float8 as bucket, rejected::int from bucket_export where rejected > 0',
    );
    expect(rejected).toEqual([{ bucket: poison, rejected: 1 }]);
  },
);

test('if the receiver answers 400 to everything, the export waits, and no record counts as rejected', async () => {
  scene.receiver.react = (_logs, response) => {
    response.writeHead(400).end();
    return 'answered';
  };
  await scene.both(20);
  scene.receiver.react = () => undefined;
  await scene.both(60);
  expect(scene.completeBuckets()).toEqual(await scene.settledBuckets());
  expect(await scene.gaps()).toEqual([]);
});

test('records rejected by a partial success are not sent again and are a gap', async () => {
  const partly = exportStart + 300;
  scene.receiver.react = (logs, response) => {
    if (!logs.some(({ attributes }) => uniqueBucketOf(attributes['calico.source.name']) === partly))
      return undefined;
    scene.receiver.accepted.push(...logs.slice(1));
    response
      .writeHead(200, { 'content-type': 'application/x-protobuf' })
      .end(partialSuccess(1, 'one line is too long'));
    return 'answered';
  };
  await scene.both(75);
  expect(await scene.gaps()).toEqual([
    expect.objectContaining({
      fromSeconds: partly,
      toSeconds: partly + 15,
      reason: 'rejected',
      cause: expect.stringContaining('one line is too long'),
      records: 1,
    }),
  ]);
  const requests = scene.receiver.requests.filter(({ logs }) =>
    logs.some(({ attributes }) => uniqueBucketOf(attributes['calico.source.name']) === partly),
  );
  expect(requests.length).toBe(1);
});

test('a batch that is too large is split in half', async () => {
  scene.receiver.react = (logs, response) => {
    if (logs.length <= 1) return undefined;
    response.writeHead(413).end();
    return 'answered';
  };
  await scene.both(10);
  expect(scene.completeBuckets()).toEqual(await scene.settledBuckets());
});
