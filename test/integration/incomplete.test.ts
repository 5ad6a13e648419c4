import { afterEach, expect, test } from 'vitest';
import { coveredTime } from '../../src/coverage/covered-time.ts';
import { coverageLines, summariseCoverage } from '../../src/reports/digest-gaps.ts';
import { readGaps, type CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { encodeListAnswer } from '../support/capture.ts';
import { readEdges } from '../support/database.ts';
import { encodeFlow } from '../unit/trail/flow-messages.ts';
import { Settling } from './coverage-settling-harness.ts';

const start = 1_800_000_000;
const bad = start + 600;
let settling: Settling;
afterEach(() => settling.db.drop());

const sound = (startSeconds: number) => encodeFlow({ startSeconds, port: 80 });
const refused = (startSeconds: number) => encodeFlow({ startSeconds, port: 65_536 });

function incomplete(stretches: readonly CoverageStretch[]): CoverageStretch[] {
  return stretches.filter(({ state }) => state === 'incomplete');
}

test('a bucket from which records were rejected is incomplete, with their count, before and after it leaves the ring', async () => {
  settling = await Settling.create(start, () => [{ port: 80 }]);
  settling.goldmane.onList = (bucket) =>
    bucket === bad || bucket === bad + 15
      ? encodeListAnswer([sound(bucket), refused(bucket), refused(bucket)])
      : undefined;
  await settling.run(30);
  const stretch = { fromSeconds: bad, toSeconds: bad + 30, state: 'incomplete', refusedRecords: 4 };
  expect(incomplete(await settling.coverage(start, start + 1_800))).toEqual([stretch]);
  await settling.run(60);
  const nowSeconds = settling.clock.now() / 1000;
  const stretches = await settling.coverage(start, nowSeconds);
  expect(incomplete(stretches)).toEqual([stretch]);
  expect(coveredTime(stretches).between(bad, bad + 30)).toBe(0);
  expect(await readGaps(settling.db.database.query, 5)).toEqual([
    expect.objectContaining({ fromSeconds: bad, toSeconds: bad + 30, state: 'incomplete' }),
  ]);
  const time = { from: new Date(start * 1000), now: new Date(nowSeconds * 1000), time: String };
  const summary = summariseCoverage(stretches, time);
  expect(summary).toMatchObject({ incompleteSeconds: 30, refusedRecords: 4, gapSeconds: 0 });
  expect(coverageLines(summary, { quote: String, atMost: 5 })).toContainEqual(
    expect.stringMatching(/^Incomplete: .*4 records/),
  );
});

test('a later response without rejected records makes the bucket complete', async () => {
  settling = await Settling.create(start, () => [{ port: 80 }]);
  settling.goldmane.onList = (bucket) =>
    bucket === bad && settling.goldmane.nowSeconds < bad + 2_000
      ? encodeListAnswer([sound(bucket), refused(bucket)])
      : undefined;
  await settling.run(30);
  expect(incomplete(await settling.coverage(bad, bad + 15))).toHaveLength(1);
  await settling.run(60);
  expect((await settling.coverage(bad, bad + 15)).map(({ state }) => state)).toEqual(['final']);
});

test('a pod with a name of 254 bytes is visible', async () => {
  settling = await Settling.create(start, () => [{ port: 80, src: { name: `${'n'.repeat(253)}*` } }]);
  await settling.run(30);
  expect(await readEdges(settling.db.database)).toHaveLength(1);
  expect(incomplete(await settling.coverage(start, start + 1_800))).toEqual([]);
});
