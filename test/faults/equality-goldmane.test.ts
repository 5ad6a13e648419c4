import { expect, onTestFinished, test } from 'vitest';
import { readLedger, type LedgerBucket } from '../../src/trail/merge/ledger.ts';
import type { EdgeRow } from '../support/capture.ts';
import { readEdges, readUnexplainedEdges } from '../support/database.ts';
import { expectComplete, metric, untilReadBy, untilLogged, untilStreaming } from '../support/faults.ts';
import { startSlowReader, listRing, missingFromLedger } from '../support/faults-reader.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';
import { casesOf, fullTest } from '../support/full.ts';

fullTest.each([
  ['keeps all streamed, re-sent and settled records, with late flows', 0.05],
  ['loses nothing without late flows', 0],
])('a restart of Goldmane whose nodes send the last five minutes again %s', async (_what, lateShare) => {
  const world = await createWorld({ traffic: { lateShare } });
  const { traffic } = world;
  traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilStreaming(worker, world);
  await world.pass(550);
  const settledBefore = (await readLedger(world.db.database.query, traffic.fromSeconds)).filter(
    ({ state }) => state === 'settled',
  );
  const restartedMs = world.clock.now();
  await world.restartGoldmane({ nodesResend: false });
  const resentSeconds = world.nowSeconds();
  traffic.resend(resentSeconds);
  await untilLogged(worker, 'Goldmane restarted');
  await world.pass(120);
  await traffic.stop();
  const ledger = await untilListed(world);

  // The new server run cannot settle the time before it was detected (invariant 2): unsettled buckets stay unsettled.
  const unsettled = ledger.filter(({ state }) => state !== 'settled');
  for (const { state, cause } of unsettled) {
    expect(['streamed', 'gap']).toContain(state);
    // The latter if the restarted server answers before nodes have sent it anything.
    expect(cause).toMatch(/restart|returned no records/);
  }
  const [first, last] = [unsettled[0]?.startSeconds ?? 0, unsettled.at(-1)?.startSeconds ?? 0];
  expect(settledBefore.length).toBeGreaterThan(0);
  expect(first).toBeGreaterThan(settledBefore.at(-1)?.startSeconds ?? 0);
  expect(last + 15).toBeGreaterThan(restartedMs / 1000);
  expect(last + 15).toBeLessThan(traffic.toSeconds);
  expect(unsettled).toHaveLength((last - first) / 15 + 1);

  // A late flow is lost if it arrived after its bucket was sent and before it was settled, and no node still had it. Only
  // the server knows whether a flow that was seconds late was still sent.
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
)('List alone is sufficient when the stream %s from the start', async (_what, how) => {
  const world = await createWorld();
  world.goldmane.faults.answerStreams(how);
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  await world.pass(300);
  await expectComplete(world);
  expect(world.goldmane.stats().recordsSent).toBe(0);
  expect(await metric(worker, 'flow_trail_records_total', { reader: 'stream' })).toBe(0);
  if (how !== 'hang')
    expect(
      await metric(worker, 'flow_trail_reconnects_total', { reader: 'stream', cause: 'refused' }),
    ).toBeGreaterThan(2);
});

fullTest.each([
  ['does not read its stream', 'stopped'],
  ['reads one record every 20 ms', { bytes: 300, everyMs: 20 }],
] as const)(
  'another client that %s makes the stream lose records, but the trail is complete',
  async (_what, pace) => {
    const world = await createWorld({ traffic: { recurring: 2_500 } });
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilReadBy(worker, world);
    const slowReader = await startSlowReader(world, pace);
    onTestFinished(() => slowReader.disconnect());
    await world.pass(500);
    slowReader.disconnect();
    await expectComplete(world);
    expect(world.goldmane.stats().droppedForReaders).toBeGreaterThan(0);
    expect(await metric(worker, 'flow_trail_records_found_by_settling_total')).toBeGreaterThan(1_000);
    expect(await metric(worker, 'flow_trail_reconnects_total', { cause: 'lag' })).toBeGreaterThan(0);
  },
);

/** Waits until every bucket of the traffic is settled or has a cause why not. */
function untilListed(world: World): Promise<LedgerBucket[]> {
  const { fromSeconds, toSeconds } = world.traffic;
  return until('every bucket was settled or listed', async () => {
    const buckets = await readLedger(world.db.database.query, fromSeconds);
    const listed = buckets.filter(
      ({ startSeconds, state, cause }) =>
        startSeconds < toSeconds && (state === 'settled' || cause !== undefined),
    );
    return listed.length === (toSeconds - fromSeconds) / 15 ? listed : undefined;
  });
}
