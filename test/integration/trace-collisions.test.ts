import { expect, test } from 'vitest';
import { merge } from '../../src/trail/merge/merge.ts';
import type { TrailRecord } from '../../src/trail/record.ts';
import { verify } from '../../src/trail/verify.ts';
import { databasePerTest } from '../support/database.ts';
import { batch, listed, options, podIn, startSeconds } from './ledger-batches.ts';

const { database } = databasePerTest();

const allowing = '{"enforced":["allow-all"],"pending":[]}';
const denying = '{"enforced":["quarantine"],"pending":[]}';

/** A record with a trace. All traces of this file have the same hash. */
function withTrace(record: number, text: string, dst = 'b'): TrailRecord {
  return listed(record, { digest: 7n, text, dst: podIn(dst) });
}

/** Destination, trace and count of each day of facts. */
async function days(): Promise<[string, unknown, number][]> {
  const rows = await database.query<{ dst: string; trace: { enforced?: unknown }; count: number }>(
    `select dst_ns as dst, trace, flow_count::int as count from flow_group join flow_fact using (group_id)
     join flow_fact_day using (fact_id) join policy_trace using (trace_id) order by dst_ns, trace_id desc`,
  );
  return rows.map(({ dst, trace, count }) => [dst, trace.enforced ?? 'other', count]);
}

test.each([
  ['of one fact in one merge', [[withTrace(1, allowing), withTrace(2, denying)]], 'b'],
  ['of one fact in two merges', [[withTrace(1, allowing)], [withTrace(2, denying)]], 'b'],
  ['of two facts in one merge', [[withTrace(1, allowing), withTrace(2, denying, 'c')]], 'c'],
  ['of two facts in two merges', [[withTrace(1, allowing)], [withTrace(2, denying, 'c')]], 'c'],
])(
  'two traces %s with the same hash are not confused: the second is stored as "other"',
  async (_how, merges, dst) => {
    for (const [n, records] of merges.entries())
      await merge(database, [batch(startSeconds + n * 15, records, { settled: 'final' })], options);
    expect(await days()).toEqual([
      ['b', ['allow-all'], 1],
      [dst, 'other', 1],
    ]);
    expect(await database.query(`select from policy_trace where trace_id <> 0`)).toHaveLength(1);
    expect(await verify(database)).toEqual([]);
  },
);

test('a trace whose id was stored in an earlier merge keeps it', async () => {
  for (const start of [startSeconds, startSeconds + 15, startSeconds + 30])
    await merge(database, [batch(start, [withTrace(1, allowing)], { settled: 'final' })], options);
  expect(await days()).toEqual([['b', ['allow-all'], 3]]);
});
