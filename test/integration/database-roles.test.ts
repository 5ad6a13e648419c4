import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { applyRetention } from '../../src/activities/housekeeping.ts';
import { adopt } from '../../src/trail/edges/adopt.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { readLimitedNamespaces } from '../../src/trail/merge/identity-overflow.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { queryEdges } from '../../src/trail/edges/query-edges.ts';
import { verify } from '../../src/trail/verify.ts';
import { testDeps } from './deps.ts';
import { batch, listed, options, podIn, startSeconds } from './ledger-batches.ts';
import { fixedClock } from './watched-days.ts';

const script = fileURLToPath(new URL('../../deploy/postgres/create-roles.sh', import.meta.url));
const database = `roles_${process.pid}`;
const passwords = { owner: `o'1 "x"`, writer: 'w@2#/?%', reader: 'r3' };

/** Runs the script as the superuser of the test's server. */
function runScript(settings: Record<string, string>) {
  const server = new URL(inject('postgresUrl'));
  return promisify(execFile)('bash', [script], {
    env: {
      PATH: process.env['PATH'],
      PGHOST: server.hostname,
      PGPORT: server.port,
      PGUSER: server.username,
      PGPASSWORD: server.password,
      ...settings,
    },
  });
}

describe.skipIf(!hasPsql())('the roles of deploy/postgres/create-roles.sh', () => {
  let [owner, writer, reader]: (Database | undefined)[] = [];

  async function createRoles(schema: string): Promise<void> {
    await runScript({
      FLOW_TRAIL_DATABASE: database,
      FLOW_TRAIL_SCHEMA: schema,
      FLOW_TRAIL_OWNER_PASSWORD: passwords.owner,
      FLOW_TRAIL_DB_PASSWORD: passwords.writer,
      FLOW_TRAIL_READER_PASSWORD: passwords.reader,
    });
  }

  function open(role: string, password: string): Database {
    const { host } = new URL(inject('postgresUrl'));
    const url = `postgres://${role}:${encodeURIComponent(password)}@${host}/${database}?options=-c%20search_path=cluster_a`;
    return openDatabase({ url });
  }

  beforeAll(async () => {
    await createRoles('cluster_a');
    await createRoles('cluster_a');
    owner = open('flow_trail_owner', passwords.owner);
    writer = open('flow_trail', passwords.writer);
    reader = open('flow_trail_reader', passwords.reader);
  });
  afterAll(async () => {
    for (const each of [owner, writer, reader]) await each?.close();
    const admin = openDatabase({ url: inject('postgresUrl') });
    await admin.withClient(async (client) => {
      await client.query(`drop database ${database} with (force)`);
      for (const role of ['flow_trail_owner', 'flow_trail', 'flow_trail_reader'])
        await client.query(`drop role ${role}`);
    });
    await admin.close();
  });

  test('allow the owner to migrate, the worker to write and the reader to read, and nothing else', async () => {
    if (!owner || !writer || !reader) throw new Error('they are open');
    await expect(migrate(writer)).rejects.toMatchObject({ kind: 'no_permission' });
    expect(await migrate(owner)).not.toEqual([]);
    expect(await migrate(writer)).toEqual([]);
    const records = [listed(1, { dst: { ...podIn('b'), identity: 'web' } })];
    for (const identityCap of [0, 1])
      await merge(writer, [batch(startSeconds, records, { settled: 'final' })], { ...options, identityCap });
    const day = Math.floor(startSeconds / 86_400);
    expect(await readLimitedNamespaces(reader.query, { fromDay: day, toDay: day + 1 })).toEqual(
      new Set(['b']),
    );
    expect(await applyRetention(testDeps(writer, fixedClock(0)))).toMatchObject({
      verified: 'all tables agree',
    });
    expect(await queryEdges(reader.query, { limit: 10 })).toHaveLength(1);
    expect(await verify(reader)).toEqual([]);
    // Another program has counted one record.
    await writer.query('update edge set flow_count = flow_count + 1');
    const nowSeconds = startSeconds + 60;
    expect(await adopt(reader, { nowSeconds, isDryRun: true })).toMatchObject({
      edges: [{ flowCount: '1' }],
    });
    await expect(adopt(reader, { nowSeconds, isDryRun: false })).rejects.toMatchObject({
      kind: 'no_permission',
    });
    await adopt(writer, { nowSeconds, isDryRun: false });
    expect(await verify(reader)).toEqual([]);
    await createRoles('cluster_a');
    await expect(reader.query('select salt from record_salt')).rejects.toMatchObject({
      kind: 'no_permission',
    });
    expect(await writer.query('select from record_salt')).toHaveLength(1);
    await expect(reader.query('delete from edge')).rejects.toMatchObject({ kind: 'no_permission' });
    await expect(writer.query('drop table edge')).rejects.toMatchObject({ kind: 'no_permission' });
  });
});

describe.skipIf(!hasPsql())('FLOW_TRAIL_ROLE', () => {
  const server = new URL(inject('postgresUrl'));
  const clusters = ['north', 'south'].map((cluster) => ({
    role: `flow_trail_${process.pid}_${cluster}`,
    database: `roles_${process.pid}_${cluster}`,
    password: `it's "\`$(${cluster})\\`,
  }));

  afterAll(async () => {
    const admin = openDatabase({ url: inject('postgresUrl') });
    // As docs/clusters.md removes a cluster.
    await admin.withClient(async (client) => {
      for (const { role, database: name } of clusters) {
        await client.query(`drop database ${name} with (force)`);
        await client.query(`drop role ${role}_owner, ${role}, ${role}_reader`);
      }
    });
    await admin.close();
  });

  test('gives each cluster on one server roles and passwords of its own, which open no other database', async () => {
    for (const { role, database: name, password } of clusters)
      await runScript({
        FLOW_TRAIL_ROLE: role,
        FLOW_TRAIL_DATABASE: name,
        FLOW_TRAIL_OWNER_PASSWORD: password,
        FLOW_TRAIL_DB_PASSWORD: password,
        FLOW_TRAIL_READER_PASSWORD: password,
      });
    for (const own of clusters)
      for (const other of clusters) {
        const url = new URL(`postgres://${server.host}/${other.database}`);
        url.username = own.role;
        url.password = encodeURIComponent(own.password);
        const writer = openDatabase({ url: url.href });
        const answer = writer.query('select 1');
        if (own === other) expect(await answer).toHaveLength(1);
        else await expect(answer).rejects.toMatchObject({ system: 'database' });
        await writer.close();
      }
  });

  test('a missing password or a role name that PostgreSQL would cut is refused before anything is changed', async () => {
    const passwordsOf = {
      FLOW_TRAIL_OWNER_PASSWORD: 'a',
      FLOW_TRAIL_DB_PASSWORD: 'b',
      FLOW_TRAIL_READER_PASSWORD: 'c',
    };
    for (const [settings, named] of [
      [{ ...passwordsOf, FLOW_TRAIL_READER_PASSWORD: '' }, 'FLOW_TRAIL_READER_PASSWORD'],
      [{ ...passwordsOf, FLOW_TRAIL_ROLE: 'r'.repeat(57) }, 'FLOW_TRAIL_ROLE'],
    ] as const)
      await expect(runScript({ FLOW_TRAIL_DATABASE: 'never', ...settings })).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining(named),
      });
  });
});

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
