import { expect, test } from 'vitest';
import { readStorageBytes } from '../../src/trail/database/storage-size.ts';
import { databasePerTest } from '../support/database.ts';

const { database } = databasePerTest();

test('the size counts tables and indexes of the trail, and no others', async () => {
  const before = await readStorageBytes(database.query);
  await database.query('create schema elsewhere');
  await database.query('create table elsewhere.edge as select generate_series(1, 10000) as n');
  expect(await readStorageBytes(database.query)).toBe(before);
  await database.query(
    `insert into policy_trace select n, jsonb_build_object('trace', md5(n::text)) from generate_series(1, 10000) n`,
  );
  const [size] = await database.query<{ table: number; indexes: number }>(
    `select pg_table_size('policy_trace')::int as table, pg_indexes_size('policy_trace')::int as indexes`,
  );
  const added = (await readStorageBytes(database.query)) - before;
  // Each began with at most a few pages.
  expect(added).toBeGreaterThan((size?.table ?? 0) + (size?.indexes ?? 0) - 64 * 1024);
  expect(added).toBeGreaterThan(size?.table ?? Number.NaN);
});
