import { expect, test } from 'vitest';
import { readFreshness } from '../../src/trail/jobs/freshness.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { allEdges, queryEdges } from '../../src/trail/edges/query-edges.ts';
import { verify } from '../../src/trail/verify.ts';
import { databasePerTest, readEdges, reconnect } from '../support/database.ts';
import { batch, listed, options, podIn, startSeconds } from './ledger-batches.ts';

const db = databasePerTest();

/** A setting that administrators give a whole database, for other programs. */
async function give(setting: string): Promise<void> {
  await db.database.query(`alter database ${new URL(db.url).pathname.slice(1)} set ${setting}`);
}

test.each([
  `datestyle = 'German'`,
  `datestyle = 'SQL, DMY'`,
  `timezone = 'Asia/Kathmandu'`,
  `intervalstyle = 'iso_8601'`,
  `bytea_output = 'escape'`,
  'extra_float_digits = -15',
  'array_nulls = off',
  'standard_conforming_strings = off',
  'transform_null_equals = on',
  `default_transaction_isolation = 'serializable'`,
])('a database with %s stores and returns the same', async (setting) => {
  const records = [listed(1), listed(2, { port: 443 }), listed(3, { dst: podIn('c') })];
  const bucket = () => [batch(startSeconds, records, { settled: 'settled' })];
  await give(setting);
  const database = reconnect(db);
  await merge(database, bucket(), options);
  const [edge] = await queryEdges(database.query, { limit: allEdges });
  expect(edge?.firstSeen).toEqual(new Date(startSeconds * 1000));
  const counted = await readEdges(database);
  expect(counted.map(({ first_seen, flow_count }) => [first_seen, flow_count])).toEqual([
    [startSeconds, 2],
    [startSeconds, 1],
  ]);
  const { since, newestBucket } = await readFreshness(database.query, options.nowSeconds);
  expect(newestBucket).toEqual(new Date(startSeconds * 1000));
  expect(Math.abs(Date.now() - since.getTime())).toBeLessThan(3_600_000);
  await merge(database, bucket(), options);
  expect(await readEdges(database)).toEqual(counted);
  expect(await verify(database)).toEqual([]);
});
