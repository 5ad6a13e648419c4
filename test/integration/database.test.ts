import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import {
  isDatabaseFailure,
  type DatabaseFailure,
  type DatabaseFailureKind,
} from '../../src/trail/database/database-failure.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { queryEdges } from '../../src/trail/edges/query-edges.ts';
import { createTestDatabase, databasePerTest } from '../support/database.ts';
import { until } from '../support/poll.ts';
import { listen } from '../../dev/ports.ts';
import { folderOfTest } from '../support/folder.ts';

const closing: (() => Promise<unknown>)[] = [];
const db = databasePerTest(createTestDatabase);

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function open(...args: Parameters<typeof openDatabase>): Database {
  const database = openDatabase(...args);
  closing.push(() => database.close());
  return database;
}

async function failure(work: Promise<unknown>): Promise<DatabaseFailure> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (isDatabaseFailure(error)) return error;
  throw new Error('the error is not a database failure', { cause: error });
}

describe('a server that accepts connections and never answers', () => {
  const timeouts = { connectMs: 200, statementMs: 200 };
  let silent: Server;
  let url: string;

  beforeEach(async () => {
    const sockets = new Set<Socket>();
    silent = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    url = `postgres://trail:hunter2@127.0.0.1:${await listen(silent)}/edges`;
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    });
  });

  test.each([
    ['query', (database: Database) => database.query('select 1')],
    ['transaction', (database: Database) => database.transaction((query) => query('select 1'))],
    ['withClient', (database: Database) => database.withClient((client) => client.query('select 1'))],
    ['migrate', (database: Database) => migrate(database)],
  ])('fails %s with a timeout, without showing the password', async (_name, use) => {
    const startedAt = performance.now();
    const { kind, message } = await failure(use(open({ url }, { timeouts })));
    expect(kind).toBe('timeout');
    expect(message).not.toContain('hunter2');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test('is given up after the connect_timeout of the URL', async () => {
    const patient = { connectMs: 3_600_000, statementMs: 3_600_000 };
    const database = open({ url: `${url}?connect_timeout=1` }, { timeouts: patient });
    expect((await failure(database.query('select 1'))).kind).toBe('timeout');
    expect((await failure(database.withClient((client) => client.query('select 1')))).kind).toBe('timeout');
  });

  test('does not delay closing the pool', async () => {
    const database = open({ url }, { timeouts });
    const connected = once(silent, 'connection');
    const pending = failure(database.query('select 1'));
    await connected;
    const startedAt = performance.now();
    await database.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect((await pending).kind).toBe('timeout');
  });
});

describe('a statement that takes too long', () => {
  test('is cancelled by the server, and its connection is not reused', async () => {
    const database = open({ url: db.url }, { timeouts: { connectMs: 5_000, statementMs: 100 } });
    expect((await failure(database.query('select pg_sleep(30)'))).kind).toBe('timeout');
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('is cancelled also while it waits for a lock', async () => {
    const database = open({ url: db.url }, { timeouts: { connectMs: 5_000, statementMs: 100 } });
    await db.database.query('create table t (x int)');
    await db.database.transaction(async (query) => {
      await query('lock table t');
      expect((await failure(database.query('select from t'))).kind).toBe('timeout');
    });
  });

  test('an idle transaction is ended, so that it does not hold its locks after its worker is lost', async () => {
    const database = open({ url: db.url }, { timeouts: { connectMs: 5_000, statementMs: 100 } });
    const left = database.transaction(async (query) => {
      await query('create table t (x int)');
      await db.database.query('select pg_sleep(0.5)');
      await query('insert into t values (1)');
    });
    expect((await failure(left)).kind).toBe('lost');
    expect(await db.database.query(`select to_regclass('t') as t`)).toEqual([{ t: null }]);
  });
});

describe('unusable databases are distinguished', () => {
  const at = (change: (url: URL) => void) => {
    const url = new URL(db.url);
    change(url);
    return url.href;
  };
  const cases: [DatabaseFailureKind, (url: URL) => void][] = [
    ['password_refused', (url) => (url.password = 'wrong')],
    ['password_refused', (url) => (url.username = 'nobody')],
    ['no_database', (url) => (url.pathname = '/there_is_none')],
    ['connection_refused', (url) => (url.port = '1')],
    ['dns', (url) => (url.hostname = 'no-such-host.invalid')],
  ];

  test.each(cases)('%s', async (kind, change) => {
    const url = at(change);
    for (const use of [
      (database: Database) => database.query('select 1'),
      (database: Database) => database.withClient((client) => client.query('select 1')),
    ]) {
      const found = await failure(use(open({ url })));
      expect(found.kind).toBe(kind);
      expect(found.message).not.toContain(new URL(inject('postgresUrl')).password);
    }
  });

  test('a database without our schema', async () => {
    expect((await failure(queryEdges(db.database.query, { limit: 1 }))).kind).toBe('no_schema');
  });

  test('a role without the required privileges', async () => {
    const role = `reader_${randomBytes(4).toString('hex')}`;
    await migrate(db.database);
    await db.database.query(`create role ${role} login password 'x'`);
    closing.push(async () => {
      await db.database.query(`drop owned by ${role}`);
      await db.database.query(`drop role ${role}`);
    });
    const url = at((value) => {
      value.username = role;
      value.password = 'x';
    });
    expect((await failure(open({ url }).query('delete from edge'))).kind).toBe('no_permission');
  });

  test('a read-only server', async () => {
    const database = open({ url: db.url });
    const written = database.transaction(async (query) => {
      await query('set transaction read only');
      await query('create table t (x int)');
    });
    expect((await failure(written)).kind).toBe('read_only');
  });

  test('a terminated connection; the next one works', async () => {
    const database = open({ url: db.url });
    const ended = database.transaction(async (query) => {
      const [row] = await query<{ pid: number }>('select pg_backend_pid() as pid');
      await db.database.query('select pg_terminate_backend($1)', [row?.pid]);
      await query('select 1');
    });
    expect((await failure(ended)).kind).toBe('lost');
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('a connection terminated while idle in the pool, without effect', async () => {
    const database = open({ url: db.url });
    const [row] = await database.query<{ pid: number }>('select pg_backend_pid() as pid');
    await db.database.query('select pg_terminate_backend($1, 5000)', [row?.pid]);
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('defaults of the database', () => {
  const withDefault = async (setting: string) => {
    await db.database.query(`alter database ${new URL(db.url).pathname.slice(1)} set ${setting}`);
    return open({ url: db.url });
  };

  test('do not change the isolation level', async () => {
    const database = await withDefault("default_transaction_isolation = 'serializable'");
    expect(await database.query('show transaction_isolation')).toEqual([
      { transaction_isolation: 'read committed' },
    ]);
  });

  test('do not limit a transaction; a limit in the URL does, and is reported as a timeout', async () => {
    const database = await withDefault("transaction_timeout = '100ms'");
    await database.query('select pg_sleep(0.3)');
    const limited = open({ url: `${db.url}?options=-c%20transaction_timeout%3D100ms` });
    expect((await failure(limited.query('select pg_sleep(5)'))).kind).toBe('timeout');
  });
});

describe('DATABASE_URL_FILE', () => {
  let urlFile: string;
  let role: string;

  const urlOf = (password: string) => {
    const url = new URL(db.url);
    url.username = role;
    url.password = password;
    return url.href;
  };
  const rotateTo = (password: string) => db.database.query(`alter role ${role} password '${password}'`);

  beforeEach(async () => {
    const folder = await folderOfTest();
    urlFile = join(folder, 'url');
    role = `rotated_${randomBytes(4).toString('hex')}`;
    await db.database.query(`create role ${role} login password 'first'`);
    closing.push(async () => {
      await db.database.query(`drop role ${role}`);
    });
  });

  test('is read for every connection: a rotated password is used without a restart', async () => {
    await writeFile(urlFile, `${urlOf('first')}\n`);
    const database = open({ urlFile });
    expect(await database.query('select current_user as name')).toEqual([{ name: role }]);
    await rotateTo('second');
    await writeFile(urlFile, urlOf('second'));
    expect(await database.query('select current_user as name')).toEqual([{ name: role }]);
    expect(await database.withClient((client) => client.query('select 1'))).toMatchObject({ rowCount: 1 });
  });

  test('with the previous password is reported as stale, and works with the new one', async () => {
    await writeFile(urlFile, urlOf('first'));
    const database = open({ urlFile });
    await rotateTo('second');
    const stale = await failure(database.query('select 1'));
    expect(stale).toMatchObject({ kind: 'password_refused' });

    await writeFile(urlFile, urlOf('second'));
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('may change while transactions run: they end on the connection on which they started', async () => {
    await writeFile(urlFile, urlOf('first'));
    const database = open({ urlFile });
    await database.transaction(async (query) => {
      await query('select 1');
      await rotateTo('second');
      await writeFile(urlFile, urlOf('second'));
      expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
      expect(await query('select 2 as two')).toEqual([{ two: 2 }]);
    });
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['contains no URL', 'hunter2'],
    ['contains a URL of another kind', 'mysql://a:hunter2@b/c'],
  ])('that %s is reported with its path, without its content', async (_what, content) => {
    if (content !== undefined) await writeFile(urlFile, content);
    const { kind, message } = await failure(open({ urlFile }).query('select 1'));
    expect(kind).toBe('url_unreadable');
    expect(message).toContain(urlFile);
    expect(message).not.toContain('hunter2');
  });
});

describe('a rejected connection', () => {
  /** A proxy to the server that records its open connections. */
  async function startProxy(): Promise<{ url: URL; open: Set<Socket> }> {
    const server = new URL(db.url);
    const sockets = new Set<Socket>();
    const way = createServer((socket) => {
      sockets.add(socket);
      const onward = connect(Number(server.port), server.hostname);
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) end.on('error', () => undefined);
      onward.on('close', () => socket.destroy());
      socket.on('close', () => {
        onward.destroy();
        sockets.delete(socket);
      });
    });
    const port = await listen(way);
    closing.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => way.close(resolve));
    });
    const url = new URL(db.url);
    url.port = String(port);
    return { url, open: sockets };
  }

  test.each([
    ['without a password', ''],
    ['for a wrong password', 'hunter2'],
  ])('%s is closed, both from the pool and for a separate client', async (_why, password) => {
    const way = await startProxy();
    way.url.password = password;
    const database = open({ url: way.url.href });
    for (const use of [
      () => database.query('select 1'),
      () => database.withClient((client) => client.query('select 1')),
    ]) {
      expect((await failure(use())).kind).toBe('password_refused');
      await until('no connection is open', async () => (way.open.size === 0 ? true : undefined), 5_000);
    }
  });
});

test('the duration of every database call is reported, including failed ones', async () => {
  const seconds: number[] = [];
  const database = open({ url: db.url }, { onStatement: (value) => seconds.push(value) });
  await database.query('select pg_sleep(0.05)');
  await failure(database.query('select 1 / 0'));
  expect(seconds).toHaveLength(2);
  expect(seconds[0]).toBeGreaterThan(0.05);
});

test('statements during and after close fail or finish, and leave no connection', async () => {
  const database = open({ url: db.url });
  await database.query('select 1');
  const during = database.query('select 1').catch(() => undefined);
  await database.close();
  expect(await failure(database.query('select 1'))).toMatchObject({ kind: 'lost' });
  await during;
  await until(
    'no connection is left',
    async () => {
      const [left] = await db.database.query<{ connections: number }>(
        `select count(*)::int as connections from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      );
      return left?.connections === 0 ? true : undefined;
    },
    10_000,
  );
});
