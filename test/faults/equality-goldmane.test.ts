import { afterEach, expect, test } from 'vitest';
import { readLedger, type LedgerBucket } from '../../src/trail/ledger.ts';
import { settleAgeSeconds } from '../../src/trail/due.ts';
import type { EdgeRow } from '../support/capture.ts';
import { readEdges, readUnexplainedEdges } from '../support/database.ts';
import { expectWhole, metric, untilFollowedBy, untilSaid, untilStreaming } from '../support/faults.ts';
import { joinSlowly, listRing, missingFromLedger, type Neighbour } from '../support/faults-reader.ts';
import { until } from '../support/poll.ts';
import { World } from '../support/world.ts';
import { casesOf, fullTest } from '../support/full.ts';

let world: World;
let neighbour: Neighbour | undefined;
afterEach(async () => {
  neighbour?.leave();
  neighbour = undefined;
  await world.close();
});

fullTest.each([
  ['keeps everything streamed, re-sent or settled', 0.05],
  ['loses nothing if the stream had delivered the rest', 0],
])('a Goldmane restarted while its nodes re-send %s', async (_what, lateShare) => {
  world = await World.create({ traffic: { lateShare } });
  const { traffic } = world;
  traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilStreaming(worker, world);
  await world.pass(550);
  const restartedMs = world.clock.now();
  await world.restartGoldmane({ nodesResend: false });
  const resentSeconds = world.nowSeconds();
  traffic.resend(resentSeconds);
  await untilSaid(worker, 'Goldmane restarted');
  await world.pass(120);
  await traffic.stop();
  const ledger = await untilAsked();

  // The new run proves nothing about the time before it was seen (invariant 2): unsettled buckets stay unsettled.
  const unsettled = ledger.filter(({ state }) => state !== 'settled');
  for (const { state, cause } of unsettled) {
    expect(['streamed', 'gap']).toContain(state);
    expect(cause).toMatch(/restart/);
  }
  const [first, last] = [unsettled[0]?.startSeconds ?? 0, unsettled.at(-1)?.startSeconds ?? 0];
  expect(first).toBeGreaterThan(traffic.fromSeconds);
  expect(first).toBeGreaterThanOrEqual(restartedMs / 1000 - settleAgeSeconds - 90);
  expect(last + 15).toBeGreaterThan(restartedMs / 1000);
  expect(last + 15).toBeLessThan(traffic.toSeconds);
  expect(unsettled).toHaveLength((last - first) / 15 + 1);

  // Late flows are lost if they arrived after their bucket was sent and before it was settled, and no node had them any
  // more. Only the server knows whether a flow that was seconds late was still sent.
  const lost = new Set(
    traffic.lateArrivals
      .filter(({ atMs, flow }) => atMs < restartedMs && flow.startSeconds < resentSeconds - 300)
      .map(({ flow }) => flow)
      .filter(({ startSeconds }) => startSeconds >= first),
  );
  const counts = (rows: readonly EdgeRow[]) =>
    new Map(rows.map((row) => [`${row.src_ns} ${row.dst_ns} ${row.action}`, row.flow_count]));
  const [atLeast, atMost] = [
    traffic.expectedEdges((_start, flow) => !lost.has(flow)),
    traffic.expectedEdges(),
  ];
  const [least, most] = [counts(atLeast), counts(atMost)];
  for (const [edge, count] of counts(await readEdges(world.db.database))) {
    expect(count, edge).toBeGreaterThanOrEqual(least.get(edge) ?? 0);
    expect(count, edge).toBeLessThanOrEqual(most.get(edge) ?? 0);
  }
  expect(lost.size > 0).toBe(lateShare > 0);
  if (lateShare === 0) expect(await readEdges(world.db.database)).toEqual(atMost);
  // Records streamed but never listed are in edges and have no facts yet.
  const unexplained = await readUnexplainedEdges(world.db.database);
  const [unlisted] = await world.db.database.query<{ records: number }>(
    'select coalesce(sum(length(streamed)) / 8, 0)::float8 as records from bucket_ledger',
  );
  expect(unexplained.reduce((sum, { edge_count, facts }) => sum + edge_count - facts, 0)).toBe(
    unlisted?.records,
  );
  for (const bucket of await listRing(world, Math.ceil((resentSeconds - 300) / 15) * 15, traffic.toSeconds))
    expect(await missingFromLedger(world, bucket)).toEqual([]);
});

test.each(
  casesOf([
    ['hangs', 'hang'],
    ['is refused', { status: 'RESOURCE_EXHAUSTED', message: 'no streams today' }],
  ] as const),
)('List alone is enough when the stream %s from the first moment on', async (_what, how) => {
  world = await World.create();
  world.goldmane.faults.answerStreams(how);
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilFollowedBy(worker, world);
  await world.pass(300);
  await expectWhole(world);
  expect(world.goldmane.stats().recordsSent).toBe(0);
  expect(await metric(worker, 'flow_trail_records_total', { reader: 'stream' })).toBe(0);
  if (how !== 'hang')
    expect(
      await metric(worker, 'flow_trail_reconnects_total', { reader: 'stream', cause: 'refused' }),
    ).toBeGreaterThan(2);
});

fullTest.each([
  ['has stopped reading', 'stopped'],
  ['takes a record every 20 ms', { bytes: 300, everyMs: 20 }],
] as const)('a neighbour that %s makes the stream lose records, but not the trail', async (_what, pace) => {
  world = await World.create({ traffic: { recurring: 2_500 } });
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilFollowedBy(worker, world);
  neighbour = await joinSlowly(world, pace);
  await world.pass(500);
  neighbour.leave();
  await expectWhole(world);
  expect(world.goldmane.stats().droppedForReaders).toBeGreaterThan(0);
  expect(await metric(worker, 'flow_trail_records_found_by_settling_total')).toBeGreaterThan(1_000);
  expect(await metric(worker, 'flow_trail_reconnects_total', { cause: 'lag' })).toBeGreaterThan(0);
});

/** Waits until every bucket of the traffic was settled, or listed without success. */
function untilAsked(): Promise<LedgerBucket[]> {
  const { fromSeconds, toSeconds } = world.traffic;
  return until('every bucket was settled or listed', async () => {
    const buckets = await readLedger(world.db.database.query, fromSeconds);
    const asked = buckets.filter(
      ({ startSeconds, state, cause }) =>
        startSeconds < toSeconds && (state === 'settled' || cause !== undefined),
    );
    return asked.length === (toSeconds - fromSeconds) / 15 ? asked : undefined;
  });
}
