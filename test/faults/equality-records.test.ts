import { expect, onTestFinished, test } from 'vitest';
import type { PolicyTrace } from '../../dev/goldmane/flow.ts';
import { readCoverage } from '../../src/trail/coverage-ranges/coverage.ts';
import { readEdges } from '../support/database.ts';
import { bucketNow, expectComplete, metric, untilMerged, untilLogged } from '../support/faults.ts';
import { connectReader, listRing } from '../support/faults-reader.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

/**
 * Sends a flow within one namespace. It is not an edge, but shows Goldmane's clock, as in a real cluster, which always
 * has some traffic.
 */
function tick(world: World): void {
  const ticking = setInterval(() => {
    world.goldmane.ingest([{ startSeconds: bucketNow(world), srcNamespace: 'clock', dstNamespace: 'clock' }]);
  }, world.clock.realMs(10_000));
  onTestFinished(() => clearInterval(ticking));
}

test('settling finds late flows (one in twenty, some minutes late)', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilLogged(worker, 'The stream is open');
  const openSeconds = world.nowSeconds();
  await world.pass(450);
  await expectComplete(world);
  const late = world.traffic.lateArrivals.filter(({ flow }) => flow.startSeconds > openSeconds);
  const byMinutes = late.filter(({ flow, atMs }) => atMs / 1000 - flow.startSeconds > 75);
  expect(byMinutes.length).toBeGreaterThan(2);
  const settled = await metric(worker, 'flow_trail_records_total', { reader: 'settle' });
  expect(world.traffic.lateArrivals.length / settled).toBeGreaterThan(0.02);
  expect(await metric(worker, 'flow_trail_records_found_by_settling_total')).toBeGreaterThanOrEqual(
    byMinutes.length,
  );
});

fullTest(
  'flows that arrive long after their bucket was settled are counted before it leaves the ring',
  async () => {
    const world = await createWorld();
    const { traffic } = world;
    traffic.retarget(world.goldmane);
    const now = bucketNow(world);
    const [from, to] = [now - 2_700, now - 2_580];
    traffic.fill(from, to);
    tick(world);
    await world.startWorker();
    const settled = await world.untilSettled(to);
    expect(settled[0]).toMatchObject({ fromSeconds: from, state: 'settled' });
    await world.expectExactly();
    // Flows of nodes that were disconnected for most of an hour.
    traffic.fill(from, to);
    const all = traffic.expectedEdges();
    expect(await readEdges(world.db.database)).not.toEqual(all);
    await until('all buckets were listed for the last time', async () => {
      const coverage = await readCoverage(world.db.database.query, from, to);
      return coverage.length > 0 && coverage.every(({ state }) => state === 'final') ? true : undefined;
    });
    await world.expectExactly();
  },
);

fullTest('a connection with two flow keys that differ in the order of policies counts once', async () => {
  const world = await createWorld();
  const hit = (name: string) =>
    ({ kind: 'CalicoNetworkPolicy', tier: 'default', namespace: 'x', name }) as const;
  const [a, b] = [hit('a'), hit('b')];
  const traces: PolicyTrace[] = [{ enforced: [a, b] }, { enforced: [b, a] }];
  world.traffic.start({
    ingest: (flows) =>
      world.goldmane.ingest(flows.flatMap((flow) => traces.map((policies) => ({ ...flow, policies })))),
  });
  const worker = await world.startWorker();
  await world.pass(450);
  await expectComplete(world);
  const listed = await listRing(world, world.traffic.fromSeconds, world.traffic.toSeconds);
  for (const { count, ids } of listed) expect(count).toBe(2 * ids.size);
  expect(
    await metric(worker, 'flow_trail_records_left_out_total', { reader: 'stream', reason: 'repeated' }),
  ).toBeGreaterThan(0);
  // Both orders are stored as one trace.
  const traced = await world.db.database.query('select from policy_trace where trace_id <> 0');
  expect(traced).toHaveLength(1);
});

fullTest(
  'records that the stream delivers twice, in one batch or long after they were merged, count once',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilLogged(worker, 'The stream is open');
    const reader = await connectReader(world);
    const leaving = new AbortController();
    const seen = new Set<string>();
    let echoes = 0;
    const echo = (raw: Buffer) => {
      echoes += 1;
      world.goldmane.faults.sendToStreams(raw);
    };
    const reading = reader.stream(
      {
        onOpen: () => undefined,
        onMessage: (raw) => {
          const text = raw.toString('latin1');
          if (seen.has(text)) return;
          seen.add(text);
          if (seen.size % 2 === 0) echo(raw);
          else void world.clock.sleep(120_000).then(() => echo(raw));
        },
      },
      leaving.signal,
    );
    await untilMerged(world, bucketNow(world));
    await world.pass(400);
    expect(echoes).toBeGreaterThan(500);
    leaving.abort();
    await reading;
    reader.close();
    await expectComplete(world);
    expect(await metric(worker, 'flow_trail_records_total', { reader: 'stream' })).toBeGreaterThan(
      1.5 * seen.size,
    );
  },
);

fullTest('facts have the labels of the settled record, not of the streamed one', async () => {
  const world = await createWorld();
  const worker = await world.startWorker();
  await untilLogged(worker, 'The stream is open');
  const bucket = bucketNow(world);
  const labels = ['app=prometheus', 'service-identity=prometheus'];
  const flow = (dstNamespace: string, sourceLabels: string[], startSeconds = bucket) => ({
    startSeconds,
    srcNamespace: 'monitoring',
    srcName: 'prometheus-*',
    dstNamespace,
    sourceLabels,
  });
  world.goldmane.ingest([flow('steady', labels), flow('shrinks', labels)]);
  await untilMerged(world, bucket);
  // The bucket is streamed but not settled when a flow of a pod without the label arrives, minutes late.
  await world.pass(200);
  expect((await world.coverage()).some(({ state }) => state === 'settled')).toBe(false);
  world.goldmane.ingest([flow('shrinks', ['app=prometheus'])]);
  // Not everything before: buckets without records stay streamed only, because nothing proves that they were empty.
  await until('the bucket is settled', async () => {
    const [stretch] = await readCoverage(world.db.database.query, bucket, bucket + 15);
    return stretch?.state === 'settled' ? true : undefined;
  });
  const facts = () =>
    world.db.database.query(
      `select dst_ns, src_identity, flow_count::int from flow_facts order by dst_ns, src_identity`,
    );
  const expected = [
    { dst_ns: 'shrinks', src_identity: '', flow_count: 1 },
    { dst_ns: 'steady', src_identity: 'prometheus', flow_count: 1 },
  ];
  expect(await facts()).toEqual(expected);
  expect((await readEdges(world.db.database)).map(({ dst_ns, flow_count }) => [dst_ns, flow_count])).toEqual([
    ['shrinks', 1],
    ['steady', 1],
  ]);
});
