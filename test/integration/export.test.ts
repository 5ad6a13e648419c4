import { afterEach, beforeEach, expect, test } from 'vitest';
import { decideExportGaps } from '../../src/trail/export/export-gaps.ts';
import { forgetExportMarks } from '../../src/trail/export/export-marks.ts';
import { noteExportOff, readExportState } from '../../src/trail/export/export-state.ts';
import { Exporting, exportStart, threeFlows, uniqueBucketOf } from './export-harness.ts';

const hour = 3_600;

let scene: Exporting;
beforeEach(async () => {
  scene = await Exporting.create(exportStart, threeFlows);
});
afterEach(() => scene.close());

test('each record of each settled bucket is sent once, with a unique id', async () => {
  await scene.both(20);
  const settled = await scene.settledBuckets();
  expect(settled.length).toBeGreaterThan(40);
  expect(scene.completeBuckets()).toEqual(settled);
  expect(new Set(scene.receiver.accepted.map(({ id }) => id)).size).toBe(3 * settled.length);
  expect(scene.receiver.accepted.length).toBe(3 * settled.length);
  for (const { attributes } of scene.receiver.accepted)
    if (attributes['source.k8s.namespace.name'] === 'once')
      expect(new Date(uniqueBucketOf(attributes['calico.source.name']) * 1_000).toISOString()).toBe(
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
  const late = exportStart + 600;
  await scene.both(25);
  const before = scene.receiver.accepted.length;
  scene.settling.goldmane.flowsOf = (startSeconds) =>
    startSeconds === late
      ? [...threeFlows(startSeconds), { src: { namespace: 'late' }, dst: { namespace: 'db' } }]
      : threeFlows(startSeconds);
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
  expect(scene.completeBuckets()).toEqual(await scene.settledBuckets());
  expect(await scene.gaps()).toEqual([]);
});

test('records lost by a restart of Goldmane are a gap of the export', async () => {
  scene.receiver.react = (_logs, response) => {
    response.writeHead(503).end();
    return 'answered';
  };
  await scene.both(30);
  const settled = await scene.settledBuckets();
  scene.settling.goldmane.restart(300);
  scene.receiver.react = () => undefined;
  await scene.both(80);
  const lost = settled.filter((bucket) => bucket < exportStart + 25 * 60);
  const gaps = await scene.gaps();
  const named = gaps.filter(({ reason }) => reason === 'missing' || reason === 'not_exported');
  for (const bucket of lost)
    expect(named.some(({ fromSeconds, toSeconds }) => bucket >= fromSeconds && bucket < toSeconds)).toBe(
      true,
    );
  const complete = new Set(scene.completeBuckets());
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
  expect(scene.completeBuckets()).toEqual(await scene.settledBuckets());
  expect(new Set(scene.receiver.accepted.map(({ id }) => id)).size).toBe(scene.receiver.accepted.length);
});

test('a flow with two keys is one record with the sum of both', async () => {
  const twice = exportStart + 300;
  scene.settling.goldmane.flowsOf = (startSeconds) =>
    startSeconds === twice
      ? [
          ...threeFlows(startSeconds),
          { src: { namespace: 'two' }, dst: { namespace: 'db' }, policies: ['a', 'b'] },
          { src: { namespace: 'two' }, dst: { namespace: 'db' }, policies: ['c'] },
        ]
      : threeFlows(startSeconds);
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
  const lastSent = Math.max(...scene.completeBuckets());
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
