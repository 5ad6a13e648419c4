import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Postgres } from '../../dev/postgres/server.ts';
import { expectComplete, openSession, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { expectNoSecretShown, untilFailureShown, untilConnected } from '../support/failure-places.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';
import { postgresOfTest } from '../support/servers-of-test.ts';
import { folderOfTest } from '../support/folder.ts';

let postgres: Postgres;
let world: World;
beforeEach(async () => {
  postgres = await postgresOfTest();
  world = await createWorld({ postgresUrl: postgres.url });
});

async function administer(...statements: readonly string[]): Promise<void> {
  const session = await openSession(postgres.url);
  try {
    for (const statement of statements) await session.query(statement);
  } finally {
    await session.end();
  }
}

/** The reasons why the worker is not ready, from /readyz; undefined if it is ready. */
async function notReady({ httpPort }: WorkerProcess): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
  return response.ok ? undefined : response.text();
}

fullTest(
  'without a database server, then without the database, the worker waits, reports what is missing, and starts once it exists',
  async () => {
    world.traffic.start(world.goldmane);
    const url = new URL(world.db.url);
    url.pathname = '/trail_to_come';
    await postgres.stop();
    const worker = await world.startWorker({ DATABASE_URL: url.href });
    const refused = `Waiting for a dependency; retrying: Connection refused: nothing is listening at the address in DATABASE_URL (connect ECONNREFUSED 127.0.0.1:${postgres.port}). Start Postgres, or correct the host and port`;
    await untilLogged(worker, refused);
    expect(await notReady(worker)).toContain('nothing is listening at the address in DATABASE_URL');
    // Restarting the worker would not bring the database back.
    expect((await fetch(`http://127.0.0.1:${worker.httpPort}/healthz`)).status).toBe(200);

    await postgres.start();
    const missing =
      'The database does not exist (database "trail_to_come" does not exist). Create the database, or correct its name';
    await untilLogged(worker, `Waiting for a dependency; retrying: ${missing}`);
    await until('/readyz reports it too', async () =>
      (await notReady(worker))?.includes(missing) ? true : undefined,
    );
    // The failure is logged once, not at every attempt.
    expect(worker.messages().filter((line) => line.includes(missing))).toHaveLength(1);

    await administer('create database trail_to_come template template0');
    await untilLogged(worker, 'The worker is polling for work');
    await until('the worker is ready', async () =>
      (await notReady(worker)) === undefined ? true : undefined,
    );
    await untilConnected(world);
    await expectNoSecretShown(world);
  },
);

test('a stale password and an unavailable database are reported as such, and the trail is complete after recovery', async () => {
  const [first, second] = ['the-first-password', 'the-second-password'];
  const database = new URL(world.db.url).pathname.slice(1);
  await administer(
    `create role trail login password '${first}'`,
    `alter database ${database} owner to trail`,
  );
  const urlFile = join(await folderOfTest(), 'database-url');
  const mount = (password: string) =>
    writeFile(urlFile, `postgres://trail:${password}@127.0.0.1:${postgres.port}/${database}\n`);
  await mount(first);
  world.traffic.start(world.goldmane);
  const { DATABASE_URL: _direct, ...env } = world.workerEnv();
  const worker = await world.startWorker({ ...env, DATABASE_URL: undefined, DATABASE_URL_FILE: urlFile });
  await untilConnected(world);

  await administer(
    `alter role trail password '${second}'`,
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'trail'`,
  );
  await untilFailureShown(world, worker, 'password_refused');
  await mount(second);
  await untilConnected(world);

  await postgres.stop();
  await untilFailureShown(world, worker, 'connection_refused');
  await postgres.start();
  await untilConnected(world);
  await expectComplete(world);
  await expectNoSecretShown(world, [first, second]);
});
