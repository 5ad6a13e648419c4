import { expect, test } from 'vitest';
import { readEdges } from '../support/database.ts';
import { until } from '../support/poll.ts';
import { createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

/** FlowResults that no healthy server sends: invalid bytes, no key, truncated. */
const brokenRecords = [
  Buffer.from('ffffffffffffffffffff', 'hex'),
  Buffer.from([0x08, 0x01]),
  Buffer.from([0x08, 0x01, 0x12, 0x02, 0x0a, 0x00]),
  Buffer.from([0x12, 0x7f, 0x0a]),
];

test('records that cannot be stored are skipped, reported and counted; all others are stored', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await world.pass(60);
  await until('the stream is followed', () => (world.goldmane.stats().streams > 0 ? true : undefined));
  const startSeconds = Math.floor(world.nowSeconds() / 15) * 15;
  const strange = { startSeconds, dstNamespace: 'store-0' };
  world.goldmane.ingest([
    { ...strange, srcNamespace: 'x'.repeat(10_240) },
    { ...strange, srcNamespace: 'nul\u0000byte' },
    { ...strange, srcNamespace: 'strange-action', action: 9 },
    { ...strange, srcNamespace: 'strange-ends', srcType: 77, dstType: 78, reporter: 79 },
  ]);
  expect(world.goldmane.faults.injectRecords(startSeconds, brokenRecords)).toBe(true);
  for (const record of brokenRecords) expect(world.goldmane.faults.sendToStreams(record)).toBeGreaterThan(0);
  await world.pass(300);
  await world.traffic.stop();
  const coverage = await world.untilSettled();

  const expected = world.traffic.expectedEdges();
  const rows = await readEdges(world.db.database);
  const unusual = rows.filter(({ src_ns }) => /strange|nul|xxx/.test(src_ns));
  expect(rows.filter((row) => !unusual.includes(row))).toEqual(expected);
  expect(unusual.map(({ src_ns, action, flow_count }) => [src_ns, action, flow_count])).toEqual([
    ['strange-action', 'unspecified', 1],
  ]);
  expect(coverage.filter(({ state }) => state === 'gap')).toEqual([]);
  expect(worker.messages()).toContain('Malformed records were skipped');
  const leftOut = await worker.metrics('flow_trail_records_left_out_total');
  for (const reader of ['stream', 'settle'])
    expect(
      leftOut.find((line) => line.includes(`reader="${reader}"`) && line.includes('reason="malformed"')),
    ).toMatch(/ [1-9]\d*$/);
});

fullTest(
  'an unusable response of List is reported, delays no other bucket, and is requested again',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    world.goldmane.faults.answerNextLists(Buffer.from([0x12, 0xff, 0xff, 0xff, 0x7f]), 2);
    const worker = await world.startWorker();
    await world.pass(300);
    await world.traffic.stop();
    await until('an unusable response was reported', () =>
      worker.lines.some((line) => /is invalid|malformed|truncated|cannot be read/i.test(line))
        ? true
        : undefined,
    );
    // The bucket is a gap until it is listed again shortly before it leaves the ring, which settles it.
    await world.untilSettled();
    const { database } = world.db;
    const named = await database.query<{ gap_cause: string }>(
      'select distinct gap_cause from bucket_ledger where gap_cause is not null',
    );
    expect(named.length).toBeGreaterThan(0);
  },
);

fullTest(
  'a List response beyond the receive limit makes only its own bucket a gap, with the cause',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    world.goldmane.faults.answerNextLists(Buffer.alloc(96 * 1024 * 1024), 1);
    // The receive limit follows the heap.
    await world.startWorker({ NODE_OPTIONS: '--max-old-space-size=256' });
    const named = await until('the gap has a cause', async () => {
      const rows = await world.db.database.query<{ gap_cause: string }>(
        "select gap_cause from bucket_ledger where gap_cause like 'The response to List%' and settled_at is null",
      );
      return rows.length > 0 ? rows : undefined;
    });
    expect(named).toEqual([{ gap_cause: expect.stringMatching(/exceeds the limit of \d+ KiB .*port scan/) }]);
    await world.pass(120);
    await world.traffic.stop();
    await world.untilSettled();
    const settled = await world.db.database.query<{ buckets: number }>(
      'select count(*)::int as buckets from bucket_ledger where settled_at is not null',
    );
    expect(settled[0]?.buckets).toBeGreaterThan(5);
  },
);

fullTest('names of the maximum length and non-ASCII names are stored unchanged', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const longest = 'ä'.repeat(126);
  const startSeconds = Math.floor(world.nowSeconds() / 15) * 15;
  world.goldmane.ingest([{ startSeconds, srcNamespace: longest, dstNamespace: "'; drop table edge; --" }]);
  await world.startWorker();
  await world.pass(60);
  await world.traffic.stop();
  await world.untilSettled();
  const rows = await readEdges(world.db.database);
  expect(rows.filter(({ src_ns }) => src_ns === longest)).toMatchObject([
    { dst_ns: "'; drop table edge; --", flow_count: 1 },
  ]);
});
