import { expect, test } from 'vitest';
import { merge } from '../../src/trail/merge/merge.ts';
import { verify } from '../../src/trail/verify.ts';
import { databasePerTest } from '../support/database.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

const { database } = databasePerTest();

let number = 0;
/** Records of one fact, each under the trace of its own policy, which are numbered from `first`. */
async function decidedBy(day: number, first: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, n) => {
    number += 1;
    return listed(number, { digest: BigInt(first + n + 1) });
  });
  await merge(database, [batch(startSeconds + day * 86_400, records, { settled: 'final' })], options);
}

/** By day, the numbers of the policies; -1 is "other". */
async function policies(): Promise<number[][]> {
  const rows = await database.query<{ policies: number[] }>(
    `select array_agg(trace_id::int - 1 order by trace_id) as policies from flow_fact_day group by day order by day`,
  );
  return rows.map((row) => row.policies);
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

test('ever-changing policy names fill the traces of their fact for a week, not permanently', async () => {
  await decidedBy(0, 0, 40);
  await decidedBy(1, 100, 5);
  await decidedBy(6, 200, 1);
  await decidedBy(7, 300, 3);
  // Of those known before, none was seen within the week; the newest three leave room for thirteen.
  await decidedBy(8, 0, 16);
  await decidedBy(9, 300, 3);
  expect(await policies()).toEqual([
    [-1, ...numbers(0, 16)],
    [-1],
    [-1],
    [300, 301, 302],
    [-1, ...numbers(0, 13)],
    [300, 301, 302],
  ]);
  expect(await verify(database)).toEqual([]);
});

test('merging the same records again changes nothing, although their traces are beyond the limit', async () => {
  const records = numbers(0, 40).map((n) => listed(1_000 + n, { digest: BigInt(n + 1) }));
  const rows = () => database.query('select * from flow_fact_day order by 1, 2, 3');
  await merge(database, [batch(startSeconds, records, { settled: 'settled' })], options);
  const before = await rows();
  await merge(database, [batch(startSeconds, records, { settled: 'final' })], options);
  expect(await rows()).toEqual(before);
});
