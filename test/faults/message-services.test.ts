import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { startPostgres } from '../../src/dev/postgres.ts';
import { freePort } from '../../src/dev/ports.ts';
import { startTemporalServer } from '../../src/dev/temporal/server.ts';
import { flowTrail } from '../support/cli.ts';
import { expectWhole, untilSaid } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { expectNoSecretTold, untilTold, untilWell } from '../support/told.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { World } from '../support/world.ts';

let world: World;
afterEach(() => world.close());

test('a Goldmane that refuses is told of in its own words, and the trail is whole once it serves again', async () => {
  world = await World.create();
  world.goldmane.faults.answerStreams({ status: 'RESOURCE_EXHAUSTED', message: 'too many readers' });
  world.goldmane.faults.answerLists({ status: 'UNIMPLEMENTED', message: 'unknown method List' });
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilTold(world, worker, /RESOURCE_EXHAUSTED.*too many readers/, ['log', 'attempts', 'command']);
  await untilTold(world, worker, /UNIMPLEMENTED.*unknown method List/, ['log', 'attempts', 'command']);
  world.goldmane.faults.answerStreams('serve');
  world.goldmane.faults.answerLists('serve');
  await untilWell(world);
  await world.traffic.stop();
  await expectWhole(world);
});

test('a Goldmane that is not there is told of: nothing listens, no such name, another name in its certificate', async () => {
  world = await World.create();
  const nobody = `localhost:${await freePort()}`;
  const refused = await world.startWorker({ GOLDMANE_HOST: nobody });
  await untilTold(world, refused, new RegExp(`nobody listens at ${nobody}.*GOLDMANE_HOST`));
  expect(await refused.terminate()).toBe(0);
  const unknown = await world.startWorker({ GOLDMANE_HOST: 'goldmane.invalid:7443' });
  await untilTold(
    world,
    unknown,
    /goldmane\.invalid.*(resolve|no such name|does not exist|DNS).*GOLDMANE_HOST/i,
    ['log', 'attempts'],
  );
  expect(await unknown.terminate()).toBe(0);
  const misnamed = await world.startWorker({ GOLDMANE_SERVER_NAME: 'whisker.calico-system.svc' });
  await untilTold(world, misnamed, /whisker\.calico-system\.svc.*GOLDMANE_SERVER_NAME/, ['log', 'attempts']);
  expect(await misnamed.terminate()).toBe(0);
  world.traffic.start(world.goldmane);
  await world.startWorker();
  await untilWell(world);
  await world.pass(120);
  await world.traffic.stop();
  await expectWhole(world);
});

test('a stale password is told of, never the password, and a new one in the file cures it without a restart', async () => {
  world = await World.create();
  const right = new URL(world.db.url);
  const wrong = new URL(world.db.url);
  wrong.password = 'an-old-rotated-password';
  const file = join(world.scratch, 'database-url');
  await writeFile(file, wrong.href);
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker({ DATABASE_URL: undefined, DATABASE_URL_FILE: file });
  await untilSaid(worker, /stale database password.*DATABASE_URL_FILE/);
  const ready = await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toMatch(/stale database password/);
  expect((await fetch(`http://127.0.0.1:${worker.httpPort}/healthz`)).status).toBe(200);
  const command = await flowTrail(['edges'], { DATABASE_URL_FILE: file });
  expect(command.code).toBe(1);
  expect(command.err).toMatch(/^flow-trail: .*stale database password.*\n$/);
  await writeFile(file, right.href);
  await untilWell(world);
  await world.traffic.stop();
  await expectWhole(world);
  await expectNoSecretTold(world, [wrong.password]);
});

test('a database that is missing, or whose server is down, is told of, and cured by being there', async () => {
  world = await World.create();
  const postgres = await startPostgres({
    dataDir: join(world.scratch, 'postgres'),
    settings: { fsync: 'off' },
  });
  try {
    await postgres.stop();
    const worker = await world.startWorker({ DATABASE_URL: postgres.url });
    await untilSaid(worker, /nothing answers where DATABASE_URL points.*start Postgres/);
    await postgres.start();
    await until('the worker is ready', async () =>
      (await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`)).ok ? true : undefined,
    );
    const missing = await world.startWorker({ DATABASE_URL: postgres.urlOf('nowhere') });
    await untilSaid(missing, /database does not exist.*create the database/);
    const command = await flowTrail(['coverage'], { DATABASE_URL: postgres.urlOf('nowhere') });
    expect(command).toMatchObject({ code: 1, out: '' });
    expect(command.err).toMatch(/database does not exist/);
  } finally {
    for (const worker of world.workers) await worker.kill();
    await postgres.remove();
  }
});

test('no Temporal at start is told of, with its address, and waited for', async () => {
  world = await World.create();
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'default' };
  const worker = await world.startWorker(env);
  await untilSaid(worker, new RegExp(`no Temporal listens at ${address}.*TEMPORAL_ADDRESS`));
  const command = await flowTrail(['status'], env);
  expect(command).toMatchObject({ code: 1, out: '' });
  expect(command.err).toMatch(new RegExp(`^flow-trail: .*no Temporal listens at ${address}`));
  const temporal = await startTemporalServer({ executable: inject('temporalExecutable'), port, ui: false });
  try {
    await until('the worker is ready', async () =>
      (await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`)).ok ? true : undefined,
    );
    const elsewhere = await world.startWorker({ ...env, TEMPORAL_NAMESPACE: 'nowhere' });
    await untilSaid(elsewhere, /no namespace nowhere.*TEMPORAL_NAMESPACE/);
  } finally {
    for (const one of world.workers) await one.kill();
    await temporal.stop();
  }
});

test('all wrong settings are told of together, before anything starts', async () => {
  world = await World.create();
  const worker = await startWorkerProcess({
    GOLDMANE_HOST: 'goldmane',
    GOLDMANE_TLS_INSECURE: 'perhaps',
    DATABASE_URL: 'mysql://u:a-long-secret@h/d',
    PORT_CAP: '0',
    LOG_LEVEL: 'loud',
    SERVICE_IDENTITY_NAMESPACES: 'Not A Namespace',
  });
  expect((await worker.process.exited).code).toBe(2);
  const said = worker.lines.join('\n');
  for (const name of [
    'GOLDMANE_HOST',
    'GOLDMANE_TLS_INSECURE',
    'DATABASE_URL',
    'PORT_CAP',
    'LOG_LEVEL',
    'SERVICE_IDENTITY_NAMESPACES',
  ])
    expect(said).toContain(`  - ${name} `);
  expect(said).not.toContain('a-long-secret');
});
