import { expect, test } from 'vitest';
import { relations } from '../../src/trail/database/check-tables.ts';
import { readCoverage } from '../../src/trail/coverage-ranges/coverage.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { checkSchema, migrate } from '../../src/trail/database/migrate.ts';
import { createTestDatabase, databasePerTest, reconnect } from '../support/database.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

const db = databasePerTest();

const damaged = (what: string) => ({ kind: 'damaged', what: expect.stringContaining(what) });

test('the check covers every table and view of the migrations', async () => {
  const rows = await db.database.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')`,
  );
  expect(rows.map(({ name }) => name).sort()).toEqual(relations.toSorted());
  await checkSchema(db.database.query);
});

test('a removed table is reported by a starting worker, by migrate and by the health check', async () => {
  await db.database.query('drop table coverage cascade');
  await expect(migrate(db.database)).rejects.toMatchObject(damaged('coverage'));
  await expect(checkSchema(db.database.query)).rejects.toMatchObject(damaged('coverage'));
});

test.each(['drop table flow_trail_migration', `delete from flow_trail_migration where name >= '0042'`])(
  'a schema whose list of migrations is damaged is reported, and stays unchanged: %s',
  async (statement) => {
    await db.database.query(statement);
    await expect(migrate(db.database)).rejects.toMatchObject(damaged('flow_trail_migration'));
    await expect(checkSchema(db.database.query)).rejects.toMatchObject({ kind: 'no_schema' });
  },
);

test('a trail without its state is reported everywhere, and nothing is merged into it', async () => {
  const { database } = db;
  await database.query('delete from trail_state');
  const expected = damaged('trail_state');
  await expect(migrate(database)).rejects.toMatchObject(expected);
  await expect(checkSchema(database.query)).rejects.toMatchObject(expected);
  await expect(readCoverage(database.query, 0, 1)).rejects.toMatchObject(expected);
  await expect(merge(database, [batch(startSeconds, [listed(1)])], options)).rejects.toMatchObject(expected);
  expect(await database.query('select from edge')).toHaveLength(0);
});

test('an empty database is not damaged, and a read-only one is reported as such', async () => {
  const empty = await createTestDatabase();
  try {
    const { database } = empty;
    await expect(checkSchema(database.query)).rejects.toMatchObject({ kind: 'no_schema' });
    const name = new URL(empty.url).pathname.slice(1);
    await database.query(`alter database ${name} set default_transaction_read_only = on`);
    await expect(migrate(reconnect(empty))).rejects.toMatchObject({ kind: 'read_only' });
  } finally {
    await empty.drop();
  }
});
