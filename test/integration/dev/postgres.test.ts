import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endLeftover, isAlive, isRunning } from '../../../dev/leftover.ts';
import { startPostgres, type Postgres } from '../../../dev/postgres/server.ts';
import { withClient } from '../../../dev/postgres/with-client.ts';
import { typeScriptArguments } from '../../../dev/typescript-child.ts';
import { until } from '../../support/poll.ts';
import { folderOfTest } from '../../support/folder.ts';

let directory = '';
let postgres: Postgres | undefined;
let unrelated: ChildProcess | undefined;

beforeEach(async () => {
  directory = await folderOfTest();
});
afterEach(async () => {
  unrelated?.kill('SIGKILL');
  await postgres?.remove();
  postgres = undefined;
});

function query(url: string, sql: string): Promise<unknown[]> {
  return withClient(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);
}

/** Starts an unrelated process with this word in its command line. */
async function startUnrelated(word: string): Promise<number> {
  unrelated = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', word], { stdio: 'ignore' });
  await once(unrelated, 'spawn');
  return unrelated.pid ?? 0;
}

describe('the embedded PostgreSQL', () => {
  test('keeps committed data after a stop and after a kill', async () => {
    postgres = await startPostgres({ dataDir: directory });
    await query(postgres.url, 'create table kept (n int)');
    await query(postgres.url, 'insert into kept values (1)');
    await postgres.stop();
    await postgres.start();
    await query(postgres.url, 'insert into kept values (2)');
    await postgres.kill();
    await postgres.start();
    expect(await query(postgres.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('listens on loopback only and requires the password', async () => {
    postgres = await startPostgres({ dataDir: directory });
    expect(await query(postgres.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const wrongUrl = new URL(postgres.url);
    wrongUrl.password = 'guess';
    await expect(query(wrongUrl.href, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('starts with a stale postmaster.pid whose process id belongs to another program', async () => {
    postgres = await startPostgres({ dataDir: directory });
    const cluster = await clusterOf(postgres);
    await postgres.kill();
    const pid = await startUnrelated('innocent');
    const left = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
    await writeFile(join(cluster, 'postmaster.pid'), [String(pid), ...left.slice(1)].join('\n'));
    await postgres.start();
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(isAlive(pid)).toBe(true);
  });

  test('replaces a server that an earlier start left running', async () => {
    const first = await startPostgres({ dataDir: directory });
    const lines: string[] = [];
    postgres = await startPostgres({ dataDir: directory, log: (line) => lines.push(line) });
    expect(lines.join('\n')).toContain(`stopped process ${first.pid} of an earlier start`);
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('ends when its parent is killed with -9', async () => {
    const script = join(directory, 'starter.mts');
    const module = new URL('../../../dev/postgres/server.ts', import.meta.url).href;
    const data = await folderOfTest();
    await writeFile(
      script,
      `import { startPostgres } from '${module}';
       const { pid } = await startPostgres({ dataDir: '${data}' });
       console.log('up', pid);
       setInterval(() => {}, 1_000);`,
    );
    unrelated = spawn(process.execPath, typeScriptArguments(new URL(`file://${script}`)), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = createInterface({ input: unrelated.stdout ?? process.stdin });
    const pid = await new Promise<number>((resolve) =>
      output.on('line', (line) => {
        if (line.startsWith('up ')) resolve(Number(line.slice(3)));
      }),
    );
    unrelated.kill('SIGKILL');
    await until('PostgreSQL has ended', () => (isAlive(pid) ? undefined : true), 15_000);
    postgres = await startPostgres({ dataDir: data });
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('reports data of another version, with the cure', async () => {
    postgres = await startPostgres({ dataDir: directory });
    const cluster = await clusterOf(postgres);
    await postgres.stop();
    await writeFile(join(cluster, 'PG_VERSION'), '9\n');
    await expect(startPostgres({ dataDir: directory })).rejects.toMatchObject({
      message: expect.stringContaining('PostgreSQL 9') as unknown,
      cure: expect.stringContaining('Delete') as unknown,
    });
  });

  test('stores the password readable by its owner only', async () => {
    postgres = await startPostgres({ dataDir: directory });
    const home = join(await clusterOf(postgres), '..');
    expect(await readdir(home)).toEqual(['cluster', 'password']);
    expect((await stat(join(home, 'password'))).mode & 0o077).toBe(0);
  });
});

async function clusterOf({ url }: Postgres): Promise<string> {
  const rows = await query(url, 'show data_directory');
  const row = rows[0];
  if (typeof row !== 'object' || row === null || !('data_directory' in row)) throw new Error('no directory');
  return realpath(String(row.data_directory));
}

describe('a process left by an earlier start', () => {
  test('is ended only if its command line matches', async () => {
    const pid = await startUnrelated('mark-of-ours');
    expect(await isRunning({ pid, marks: ['mark-of-another'] })).toBe(false);
    expect(await endLeftover({ pid, marks: ['mark-of-another'], signals: ['SIGKILL'] })).toBe(false);
    expect(isAlive(pid)).toBe(true);
    expect(await endLeftover({ pid, marks: ['mark-of-ours'], signals: ['SIGTERM'] })).toBe(true);
    await until('it has ended', () => (isAlive(pid) ? undefined : true), 5_000);
  });
});
