import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { startPostgres, type Postgres } from '../../dev/postgres.ts';
import { chance } from '../../dev/simulation/random.ts';
import { startTemporalServer, type TemporalServer } from '../../dev/temporal/server.ts';
import { jobs, supervisorWorkflowId } from '../../src/config/names.ts';
import { readEdges, readUnexplainedEdges } from '../support/database.ts';
import { expectWhole, isGap, untilStreaming } from '../support/faults.ts';
import { TcpProxy } from '../support/proxy.ts';
import { PostgresProxy } from '../support/proxy-postgres.ts';
import { expectVerified } from '../support/verify.ts';
import { World } from '../support/world.ts';

const seed = Number(process.env['SOAK_SEED'] ?? 1);
const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);

/**
 * Slower than in other tests: limits of real time, such as the 35 s after which a silent database is given up on, must stay
 * far below the hour that Goldmane keeps.
 */
const speed = 15;

let world: World;
let goldmane: TcpProxy;
let database: PostgresProxy;
let postgres: Postgres;
let temporal: TemporalServer;
let scratch: string;

afterEach(async () => {
  await world.close();
  await goldmane.close();
  await database.close();
  await temporal.stop();
  await postgres.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** A fault, and its repair: each alone is shorter than the hour that Goldmane keeps. */
interface Fault {
  name: string;
  run: () => Promise<void>;
}

test('faults drawn from a seed lose and double nothing', { timeout: (minutes + 30) * 60_000 }, async () => {
  scratch = await mkdtemp(join(tmpdir(), 'flow-trail-soak-'));
  postgres = await startPostgres({ dataDir: join(scratch, 'postgres') });
  temporal = await startTemporalServer({
    executable: inject('temporalExecutable'),
    dataFile: join(scratch, 'temporal.db'),
    ui: false,
  });
  world = await World.create({ speed, postgresUrl: postgres.url, temporalAddress: temporal.address });
  goldmane = await TcpProxy.listen(world.goldmane.address);
  database = await PostgresProxy.listen(world.db.url);
  const environment = { GOLDMANE_HOST: goldmane.address, DATABASE_URL: database.url };
  world.traffic.start(world.goldmane);
  await untilStreaming(await world.startWorker(environment), world);

  let draws = 0;
  const random = () => chance(seed, (draws += 1));
  const faults = faultsOf(environment, random);
  const drawn = new Map<string, number>();
  const endsAtMs = Date.now() + minutes * 60_000;
  while (Date.now() < endsAtMs) {
    const fault = faults[Math.floor(random() * faults.length)] ?? expect.fail('no fault');
    drawn.set(fault.name, (drawn.get(fault.name) ?? 0) + 1);
    console.log(`${new Date(world.clock.now()).toISOString()} ${fault.name}`);
    await fault.run();
    expect(world.workers.some(({ process }) => !process.hasExited())).toBe(true);
    await world.pass(random() * 400);
  }

  await expectWhole(world, 600_000);
  await expectVerified(world.db.database);
  expect(await readUnexplainedEdges(world.db.database)).toEqual([]);
  expect((await world.coverage()).filter(isGap)).toEqual([]);
  const edges = await readEdges(world.db.database);
  const records = edges.reduce((sum, { flow_count }) => sum + flow_count, 0);
  const hours = (world.traffic.toSeconds - world.traffic.fromSeconds) / 3_600;
  console.log(
    [
      `seed ${seed}: ${minutes} minutes of faults, ${hours.toFixed(1)} hours of the world's time`,
      `${edges.length} edges and ${records} records equal what was generated; no gap; the tables agree`,
      ...[...drawn].map(([name, times]) => `${String(times).padStart(4)} x ${name}`).toSorted(),
    ].join('\n'),
  );
});

function faultsOf(environment: NodeJS.ProcessEnv, random: () => number): readonly Fault[] {
  const current = () => world.workers.findLast(({ process }) => !process.hasExited());
  const seconds = (most: number) => world.pass(20 + random() * most);
  const startWorker = async () => void (await world.startWorker(environment));
  return [
    {
      name: 'worker killed with -9 and started again',
      run: async () => {
        await current()?.kill();
        await seconds(300);
        await startWorker();
      },
    },
    {
      name: 'worker ended by SIGTERM and started again',
      run: async () => {
        // Not 0 if the database does not answer: the worker then ends before its last merge does.
        await current()?.terminate();
        await startWorker();
      },
    },
    {
      name: 'worker stopped (SIGSTOP) and continued',
      run: async () => {
        current()?.process.signal('SIGSTOP');
        await seconds(400);
        current()?.process.signal('SIGCONT');
      },
    },
    {
      name: 'two workers, the older one killed',
      run: async () => {
        const older = current();
        await startWorker();
        await seconds(200);
        await older?.kill();
      },
    },
    {
      name: 'connections to Goldmane go silent',
      run: async () => {
        goldmane.blackHole();
        await seconds(300);
      },
    },
    {
      name: 'no connection to Goldmane',
      run: async () => {
        goldmane.down();
        await seconds(900);
        goldmane.up();
      },
    },
    {
      name: 'connections to PostgreSQL go silent',
      run: async () => {
        database.proxy.blackHole();
        await seconds(300);
      },
    },
    {
      name: 'no connection to PostgreSQL',
      run: async () => {
        database.proxy.down();
        await seconds(900);
        database.proxy.up();
      },
    },
    {
      name: 'PostgreSQL killed and started again',
      run: async () => {
        await postgres.kill();
        await seconds(300);
        await postgres.start();
      },
    },
    {
      name: 'commit whose answer is lost',
      run: async () => {
        void database.withholdCommit(random() < 0.5 ? 'insert into edge as e' : 'insert into flow_fact_day');
        await seconds(300);
      },
    },
    {
      name: 'Temporal killed and started again',
      run: async () => {
        await temporal.kill();
        await seconds(400);
        await temporal.start();
      },
    },
    {
      name: 'supervisor terminated',
      run: async () => {
        await world
          .temporal((client) => client.workflow.getHandle(supervisorWorkflowId).terminate('soak'))
          .catch(() => undefined);
        await seconds(200);
      },
    },
    {
      name: 'schedule deleted',
      run: async () => {
        await world
          .temporal((client) => client.schedule.getHandle(jobs.digest.scheduleId).delete())
          .catch(() => undefined);
        await seconds(100);
      },
    },
    {
      name: 'client certificate unreadable, then back',
      run: async () => {
        const { client, authority } = world.certificates;
        await world.mountCertificates({
          ...world.certificates,
          client: { ...client, certificate: 'not a certificate' },
          authority,
        });
        await seconds(600);
        await world.mountCertificates(world.certificates);
      },
    },
    {
      name: 'Goldmane holds its main loop',
      run: async () => {
        world.goldmane.faults.holdMainLoop(60_000);
        await seconds(100);
      },
    },
    {
      name: 'Goldmane refuses List',
      run: async () => {
        world.goldmane.faults.answerLists({ status: 'UNAVAILABLE' });
        await seconds(900);
        world.goldmane.faults.answerLists('serve');
      },
    },
  ];
}
