import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { isDatabaseFailure } from '../../src/trail/database/database-failure.ts';
import { withLease } from '../../src/trail/workers/lease.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate, type MigrationProgress } from '../../src/trail/database/migrate.ts';
import { beginLongStatement } from '../../src/trail/database/session.ts';
import { createTestDatabase, databasePerTest, readEdges } from '../support/database.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

const db = databasePerTest(createTestDatabase);
const { database } = db;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function inSchema(schema: string): Database {
  const url = new URL(db.url);
  url.searchParams.set('options', `-c search_path=${schema}`);
  const opened = openDatabase({ url: url.href });
  closing.push(() => opened.close());
  return opened;
}

describe('a migration', () => {
  test('that takes longer than the statement timeout is not cancelled, and its progress is reported', async () => {
    const hurried = openDatabase({ url: db.url }, { timeouts: { connectMs: 5_000, statementMs: 1_500 } });
    closing.push(() => hurried.close());
    await migrate(database, { upTo: '0001_edge' });
    await database.query('alter table flow_trail_migration add column waited text');
    await database.query(
      `create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(1.7); return new; end'`,
    );
    await database.query(
      'create trigger slow after insert on flow_trail_migration for each row execute function wait()',
    );
    const progress: MigrationProgress[] = [];
    const applied = await migrate(hurried, {
      upTo: '0003_flow_fact',
      onProgress: (step) => progress.push(step),
    });
    expect(applied).toEqual(['0002_ledger', '0003_flow_fact']);
    expect(progress.map(({ migration }) => migration)).toEqual(applied);
  });

  test('is not cancelled by time limits of the database or the role', async () => {
    const name = new URL(db.url).pathname.slice(1);
    await database.query(`alter database ${name} set statement_timeout = '1s'`);
    const shown = await database.withClient(async (client, session) => {
      await client.query(beginLongStatement(session));
      const { rows } = await client.query<{ statement_timeout: string }>('show statement_timeout');
      return rows;
    });
    expect(shown).toEqual([{ statement_timeout: '0' }]);
  });

  test('that is interrupted by the end of the worker leaves nothing applied', async () => {
    const abort = new AbortController();
    const failed = migrate(database, { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(failed).rejects.toSatisfy(isDatabaseFailure);
    expect(await database.query(`select to_regclass('edge') as edge`)).toEqual([{ edge: null }]);
    expect(await migrate(database)).not.toEqual([]);
  });
});

test('a schema with an unknown migration is rejected and stays unchanged', async () => {
  await migrate(database);
  await database.query(`insert into flow_trail_migration (name, run_on) values ('9999_later', now())`);
  await expect(migrate(database)).rejects.toMatchObject({
    kind: 'newer_schema',
    what: expect.stringContaining('9999_later'),
  });
  await database.query(`delete from flow_trail_migration where name = '9999_later'`);
  expect(await migrate(database)).toEqual([]);
});

test.each([
  ['LATIN1', 'encoding'],
  ['SQL_ASCII', undefined],
])('a new schema in a database with the encoding %s', async (encoding, kind) => {
  const name = `encoding_${encoding.toLowerCase()}`;
  const create = `create database ${name} template template0 encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`;
  await database.withClient((client) => client.query(create));
  const url = new URL(db.url);
  url.pathname = `/${name}`;
  const opened = openDatabase({ url: url.href });
  closing.push(async () => {
    await opened.close();
    await database.withClient((client) => client.query(`drop database ${name} with (force)`));
  });
  const outcome = await migrate(opened).catch((error: unknown) => error);
  expect(isDatabaseFailure(outcome) ? outcome.kind : undefined).toBe(kind);
});

test('a role without the privilege to change the schema can run a worker on an up-to-date schema', async () => {
  await migrate(database);
  const readOnly = new URL(db.url);
  readOnly.searchParams.set('options', '-c default_transaction_read_only=on');
  const opened = openDatabase({ url: readOnly.href });
  closing.push(() => opened.close());
  expect(await migrate(opened)).toEqual([]);
});

describe('several clusters in one database, with a schema each', () => {
  test('are migrated together and are independent', async () => {
    const [a, b] = [inSchema('cluster_a'), inSchema('cluster_b')];
    const applied = await Promise.all([migrate(a), migrate(b), migrate(a)]);
    expect(applied.filter((names) => names.length > 0)).toHaveLength(2);
    await merge(a, [batch(startSeconds, [listed(1)], { settled: 'final' })], options);
    expect(await readEdges(a)).toHaveLength(1);
    expect(await readEdges(b)).toEqual([]);
  });

  test('can hold leases of the same name at the same time', async () => {
    const [a, b] = [inSchema('cluster_a'), inSchema('cluster_b')];
    await Promise.all([migrate(a), migrate(b)]);
    expect(await withLease(a, 'digest', () => withLease(b, 'digest', () => Promise.resolve('both')))).toBe(
      'both',
    );
  });

  test('an empty schema does not count as migrated even if the schema public is', async () => {
    await migrate(database);
    await expect(readEdges(inSchema('cluster_a'))).rejects.toMatchObject({ kind: 'no_schema' });
  });
});

describe('a lease', () => {
  beforeEach(() => migrate(database));

  test('of a lost worker is taken over when it expires, and the previous holder detects that', async () => {
    const held = withLease(database, 'digest', async (hold) => {
      await database.query(`update lease set expires_at = now() - interval '1 second'`);
      expect(
        await withLease(database, 'digest', async () => {
          await expect(hold()).rejects.toThrow('another worker');
          return 'taken';
        }),
      ).toBe('taken');
      return 'ended';
    });
    expect(await held).toBe('ended');
  });

  test('is released after the work, even if it fails', async () => {
    await expect(withLease(database, 'digest', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await database.query('select from lease')).toEqual([]);
  });
});
