import { afterAll, afterEach, beforeAll, beforeEach, inject, onTestFinished } from 'vitest';
import { withClient } from '../../dev/postgres/with-client.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { sortEdges, type EdgeRow } from './capture.ts';

export interface TestDatabase {
  url: string;
  database: Database;
  drop(): Promise<void>;
}

const MIGRATED_TEMPLATE = 'migrated_template';

let count = 0;

/** Creates an empty database, by default on the shared server; the worker or the test migrates it. */
export function createTestDatabase(server = inject('postgresUrl')): Promise<TestDatabase> {
  return createDatabase(server, '');
}

/** Creates a copy of the shared server's migrated template, which is ten times faster than migrating. */
export async function createMigratedDatabase(): Promise<TestDatabase> {
  const created = await createDatabase(inject('postgresUrl'), `template ${MIGRATED_TEMPLATE}`);
  // The copy gets its own trail id and start time, because the template's date from the start of the test run.
  await created.database.query('update flow_trail_migration set run_on = now()');
  await created.database.query('update trail_state set trail_id = gen_random_uuid()');
  await created.database.query('update record_salt set salt = sha256(uuid_send(gen_random_uuid()))');
  return created;
}

/** A database of the running tests: `database` always is the current one, so it may be destructured before. */
export type CurrentDatabase = Omit<TestDatabase, 'drop'>;

/** A new database for each test of the calling file or `describe`, for its tests and its later hooks. */
export function databasePerTest(create = createMigratedDatabase): CurrentDatabase {
  return useDatabase(create, beforeEach, afterEach);
}

/** A new pool for the running test: its connections have the settings that the database was given since. */
export function reconnect({ url }: Pick<TestDatabase, 'url'>): Database {
  const database = openDatabase({ url });
  onTestFinished(() => database.close());
  return database;
}

/** One database for all tests of the calling file or `describe`. */
export function databasePerFile(create = createMigratedDatabase): CurrentDatabase {
  return useDatabase(create, beforeAll, afterAll);
}

function useDatabase(
  create: () => Promise<TestDatabase>,
  before: (hook: () => Promise<void>) => void,
  after: (hook: () => Promise<void>) => void,
): CurrentDatabase {
  let current: TestDatabase;
  before(async () => {
    current = await create();
  });
  after(() => current.drop());
  return {
    get url() {
      return current.url;
    },
    database: {
      query: (sql, values) => current.database.query(sql, values),
      transaction: (work) => current.database.transaction(work),
      withClient: (work) => current.database.withClient(work),
      close: () => current.database.close(),
    },
  };
}

/** Creates the template, once before all tests. PostgreSQL copies a template only while it has no connections. */
export async function createMigratedTemplate(server: string): Promise<void> {
  await administer(server, `create database ${MIGRATED_TEMPLATE}`);
  const database = openDatabase({ url: urlOf(server, MIGRATED_TEMPLATE) });
  await migrate(database);
  await database.close();
}

async function createDatabase(server: string, clause: string): Promise<TestDatabase> {
  const name = `test_${process.pid}_${Date.now()}_${(count += 1)}`;
  await administer(server, `create database ${name} ${clause}`);
  const url = urlOf(server, name);
  const database = openDatabase({ url });
  return {
    url,
    database,
    async drop() {
      await database.close();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

function administer(url: string, sql: string): Promise<unknown> {
  return withClient(url, (client) => client.query(sql));
}

export async function readEdges(database: Database): Promise<EdgeRow[]> {
  return sortEdges(
    await database.query<EdgeRow>(
      `select src_ns, dst_ns, action, extract(epoch from first_seen)::float8 as first_seen,
         extract(epoch from last_seen)::float8 as last_seen, flow_count::float8 as flow_count from edge`,
    ),
  );
}

/** Edges whose count differs from the sum of their facts and the count taken over. */
export function readUnexplainedEdges(
  database: Database,
): Promise<{ edge: string; edge_count: number; facts: number }[]> {
  return database.query(
    `select e.src_ns || ' -> ' || e.dst_ns || ' ' || e.action as edge, e.flow_count::float8 as edge_count,
       coalesce(f.flow_count, 0)::float8 as facts, coalesce(a.flow_count, 0)::float8 as adopted
     from edge e
     left join (select src_ns, dst_ns, action, sum(flow_count) as flow_count from flow_facts
       where src_kind = 'workload' and dst_kind = 'workload' group by 1, 2, 3) f
       using (src_ns, dst_ns, action)
     left join edge_adopted a using (src_ns, dst_ns, action)
     where e.flow_count <> coalesce(f.flow_count, 0) + coalesce(a.flow_count, 0)`,
  );
}
