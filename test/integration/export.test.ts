import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideExportGaps } from '../../src/trail/export-gaps.ts';
import { forgetExportMarks } from '../../src/trail/export-marks.ts';
import { noteExportOff, readExportState } from '../../src/trail/export-state.ts';
import { casesOf } from '../support/full.ts';
import { partialSuccess } from '../support/log-receiver.ts';
import type { Flows } from './coverage-fake-goldmane.ts';
import { Exporting } from './export-harness.ts';

const start = 1_750_000_005 - (1_750_000_005 % 15);
const hour = 3_600;

/** Three records per bucket; one is unique to the bucket. */
const flowsOf = (startSeconds: number): Flows =>
  startSeconds < start
    ? []
    : [
        {
          src: { namespace: 'shop', name: 'web-*' },
          dst: { namespace: 'db', name: 'postgres-*' },
          port: 5_432,
        },
        { src: { namespace: 'shop' }, dst: { namespace: 'dns' }, port: 53, protocol: 'udp' },
        { src: { namespace: 'once', name: `job-${startSeconds}` }, dst: { namespace: 'db' }, action: 2 },
      ];

let scene: Exporting;
beforeEach(async () => {
  scene = await Exporting.create(start, flowsOf);
});
afterEach(() => scene.close());

const onceOf = (name: unknown) => Number(String(name).replace('job-', ''));
/** Buckets whose three records have all arrived. */
function completeBuckets(): number[] {
  const counts = new Map<string, Set<string>>();
  for (const { id, attributes } of scene.receiver.accepted) {
    const bucket = String(attributes['calico.bucket.start']);
    counts.set(bucket, (counts.get(bucket) ?? new Set()).add(id));
  }
  return [...counts]
    .filter(([, ids]) => ids.size === 3)
    .map(([bucket]) => Date.parse(bucket) / 1_000)
    .toSorted((a, b) => a - b);
}
const settledBuckets = async () =>
  (
    await scene.settling.db.database.query<{ start: number }>(
      `select extract(epoch from bucket)::float8 as start from bucket_ledger
       where settled_at is not null and settled <> '' order by 1`,
    )
  ).map((row) => row.start);

test('each record of each settled bucket is sent once, with a unique id', async () => {
  await scene.both(20);
  const settled = await settledBuckets();
  expect(settled.length).toBeGreaterThan(40);
  expect(completeBuckets()).toEqual(settled);
  expect(new Set(scene.receiver.accepted.map(({ id }) => id)).size).toBe(3 * settled.length);
  expect(scene.receiver.accepted.length).toBe(3 * settled.length);
  for (const { attributes } of scene.receiver.accepted)
    if (attributes['source.k8s.namespace.name'] === 'once')
      expect(new Date(onceOf(attributes['calico.source.name']) * 1_000).toISOString()).toBe(
        attributes['calico.bucket.start'],
      );
  expect(await scene.gaps()).toEqual([]);
  expect(await readExportState(scene.settling.db.database.query)).toMatchObject({
    isEnabled: true,
    receiver: `127.0.0.1:${scene.receiver.port}`,
    waiting: 0,
    upToSeconds: expect.any(Number),
  });
});

test('a late record is sent after the trail has found it, and the others are not sent again', async () => {
  const late = start + 600;
  await scene.both(25);
  const before = scene.receiver.accepted.length;
  scene.settling.goldmane.flowsOf = (startSeconds) =>
    startSeconds === late
      ? [...flowsOf(startSeconds), { src: { namespace: 'late' }, dst: { namespace: 'db' } }]
      : flowsOf(startSeconds);
  await scene.both(55);
  const ofLate = scene.receiver.accepted.filter(
    ({ attributes }) => attributes['calico.bucket.start'] === new Date(late * 1_000).toISOString(),
  );
  const namespaces = ofLate.map(({ attributes }) => String(attributes['source.k8s.namespace.name']));
  expect(namespaces.toSorted()).toEqual(['late', 'once', 'shop', 'shop']);
  expect(new Set(scene.receiver.accepted.map(({ id }) => id)).size).toBe(scene.receiver.accepted.length);
  expect(before).toBeGreaterThan(0);
  expect(await scene.gaps()).toEqual([]);
});

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
    expect(completeBuckets()).toEqual(await settledBuckets());
    expect(await scene.gaps()).toEqual([]);
  });

  test('of two hours: buckets that left the ring are a gap of the export, with its cause, but not of the trail', async () => {
    await scene.both(20);
    const lastSent = Math.max(...completeBuckets());
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
    const complete = new Set(completeBuckets());
    for (let bucket = start; bucket < scene.nowSeconds - hour; bucket += 15)
      expect(complete.has(bucket)).toBe(bucket < gap.fromSeconds || bucket >= gap.toSeconds);
    expect(await scene.settling.gaps()).toEqual([]);
  });
});

test('while the trail catches up, the export waits; afterwards, or when settling stops, everything is sent', async () => {
  const { settling, receiver } = scene;
  await scene.both(10);
  settling.clock.pass(40 * 60);
  let listed = 0;
  await settling
    .window(15, {
      during(environment) {
        settling.goldmane.onList = () => {
          listed += 1;
          if (listed === 20) environment.cancel();
          return undefined;
        };
      },
    })
    .catch(() => undefined);
  const before = receiver.accepted.length;
  expect((await readExportState(settling.db.database.query)).waiting).toBeGreaterThan(0);
  await scene.export(0.5);
  expect(receiver.accepted.length).toBe(before);
  await scene.export(5);
  expect(receiver.accepted.length).toBeGreaterThan(before);
  await scene.both(60);
  expect(completeBuckets()).toEqual(await settledBuckets());
  expect(await scene.gaps()).toEqual([]);
});

test('a record that the receiver refuses is skipped, counted and reported; the others arrive', async () => {
  const poison = start + 300;
  const isPoison = (name: unknown) => onceOf(name) === poison;
  scene.receiver.react = (logs, response) => {
    if (!logs.some(({ attributes }) => isPoison(attributes['calico.source.name']))) return undefined;
    response.writeHead(400, { 'content-type': 'text/plain' }).end('no such tenant');
    return 'answered';
  };
  await scene.both(75);
  expect(scene.receiver.accepted.some(({ attributes }) => isPoison(attributes['calico.source.name']))).toBe(
    false,
  );
  expect(completeBuckets()).toEqual((await settledBuckets()).filter((bucket) => bucket !== poison));
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
    const poison = start + 300;
    scene.receiver.react = (logs, response) => {
      if (!logs.some(({ attributes }) => onceOf(attributes['calico.source.name']) === poison))
        return undefined;
      fail(response);
      return 'answered';
    };
    await scene.settling.run(15);
    await scene.export(1);
    // Later buckets do not wait for the one that fails.
    expect(completeBuckets()).toEqual((await settledBuckets()).filter((bucket) => bucket !== poison));
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
  expect(completeBuckets()).toEqual(await settledBuckets());
  expect(await scene.gaps()).toEqual([]);
});

test('records rejected by a partial success are not sent again and are a gap', async () => {
  const partly = start + 300;
  scene.receiver.react = (logs, response) => {
    if (!logs.some(({ attributes }) => onceOf(attributes['calico.source.name']) === partly)) return undefined;
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
    logs.some(({ attributes }) => onceOf(attributes['calico.source.name']) === partly),
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
  expect(completeBuckets()).toEqual(await settledBuckets());
});

test('records lost by a restart of Goldmane are a gap of the export', async () => {
  scene.receiver.react = (_logs, response) => {
    response.writeHead(503).end();
    return 'answered';
  };
  await scene.both(30);
  const settled = await settledBuckets();
  scene.settling.goldmane.restart(300);
  scene.receiver.react = () => undefined;
  await scene.both(80);
  const lost = settled.filter((bucket) => bucket < start + 25 * 60);
  const gaps = await scene.gaps();
  const named = gaps.filter(({ reason }) => reason === 'missing' || reason === 'not_exported');
  for (const bucket of lost)
    expect(named.some(({ fromSeconds, toSeconds }) => bucket >= fromSeconds && bucket < toSeconds)).toBe(
      true,
    );
  const complete = new Set(completeBuckets());
  for (const { fromSeconds, toSeconds } of named)
    for (let bucket = fromSeconds; bucket < toSeconds; bucket += 15) expect(complete.has(bucket)).toBe(false);
});

test('an export cancelled in the middle of a bucket continues with the remaining records', async () => {
  await scene.settling.run(10);
  scene.env = { OTLP_LOGS_BATCH_RECORDS: '1' };
  scene.receiver.react = () => (scene.receiver.requests.length <= 4 ? undefined : 'hangs');
  const ended = scene.export(30, {
    during: (environment) => {
      const wait = setInterval(() => {
        if (scene.receiver.requests.length <= 4) return;
        clearInterval(wait);
        environment.cancel('CANCELLED');
      }, 10);
    },
  });
  await ended.catch(() => undefined);
  const before = scene.receiver.accepted.length;
  expect(before).toBe(4);
  scene.receiver.react = () => undefined;
  await scene.export(1);
  expect(completeBuckets()).toEqual(await settledBuckets());
  expect(new Set(scene.receiver.accepted.map(({ id }) => id)).size).toBe(scene.receiver.accepted.length);
});

test('a flow with two keys is one record with the sum of both', async () => {
  const twice = start + 300;
  scene.settling.goldmane.flowsOf = (startSeconds) =>
    startSeconds === twice
      ? [
          ...flowsOf(startSeconds),
          { src: { namespace: 'two' }, dst: { namespace: 'db' }, policies: ['a', 'b'] },
          { src: { namespace: 'two' }, dst: { namespace: 'db' }, policies: ['c'] },
        ]
      : flowsOf(startSeconds);
  await scene.both(15);
  const [record, ...others] = scene.receiver.accepted.filter(
    ({ attributes }) => attributes['source.k8s.namespace.name'] === 'two',
  );
  expect(others).toEqual([]);
  expect(record?.attributes).toMatchObject({ 'calico.flow.packets.in': 6, 'calico.policies.traces': 2 });
});

test('time while the export was off is a gap with that cause, and marks are deleted', async () => {
  const { database } = scene.settling.db;
  await scene.both(20);
  const lastSent = Math.max(...completeBuckets());
  await noteExportOff(database.query, scene.nowSeconds + 3 * hour);
  await scene.settling.run(180);
  await scene.both(10);
  const [gap] = await scene.gaps();
  expect(gap).toMatchObject({ fromSeconds: lastSent + 15, reason: 'not_exported' });
  expect(gap?.cause).toContain('OTLP_LOGS_ENDPOINT');
  const marks = () => database.query('select 1 from bucket_export');
  expect((await marks()).length).toBeLessThan(260);
  await scene.settling.run(130);
  while ((await decideExportGaps(database)).isBehind);
  expect(await forgetExportMarks(database.query)).toBe(0);
  expect((await marks()).length).toBe(0);
});
