import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { jobs, supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import { failuresIn } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { createNamespace } from '../support/world.ts';
import type { Fault } from './fault.ts';
import type { Installation } from './installation.ts';

/** SQLSTATE disk_full. */
const diskFull = '53100';
/** In real time; a quarter of the time that Goldmane keeps. */
const noticeLimitMs = 60_000;

/** Faults of servers. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'PostgreSQL killed and restarted',
    run: async (installation) => {
      await installation.servers.postgres.kill();
      await installation.pass(200);
      await installation.servers.postgres.start();
    },
  },
  {
    name: "PostgreSQL's disk full",
    unavailable: ({ servers: { disk } }) => (typeof disk === 'string' ? disk : undefined),
    run: fillDisk,
  },
  {
    name: 'PgBouncer killed and restarted',
    unavailable: ({ servers: { pooler } }) =>
      pooler === undefined ? 'PgBouncer is not installed' : undefined,
    run: async (installation) => {
      await installation.servers.pooler?.kill();
      await installation.pass(200);
      await installation.servers.pooler?.start();
    },
  },
  {
    name: 'Temporal killed and restarted',
    run: async (installation) => {
      await installation.servers.temporal.kill();
      await installation.pass(300);
      await installation.servers.temporal.start();
    },
  },
  {
    name: "Temporal's database deleted",
    run: async (installation) => {
      const { temporal, scratch } = installation.servers;
      await temporal.kill();
      for (const suffix of ['', '-wal', '-shm'])
        await rm(join(scratch, `temporal.db${suffix}`), { force: true });
      await temporal.start();
      await installation.pass(100);
      await createNamespace(installation.world.namespace, temporal.address);
    },
  },
  {
    name: 'supervisor terminated',
    run: async (installation) => {
      await installation.world
        .temporal((client) => client.workflow.getHandle(supervisorWorkflowId).terminate('soak'))
        .catch(() => undefined);
      await installation.pass(150);
    },
  },
  {
    name: 'schedule deleted',
    run: async (installation) => {
      await installation.world
        .temporal((client) => client.schedule.getHandle(jobs.digest.scheduleId).delete())
        .catch(() => undefined);
      await installation.pass(100);
    },
  },
  {
    name: "Goldmane's main loop blocked",
    run: async (installation) => {
      installation.world.goldmane.faults.holdMainLoop(60_000);
      await installation.pass(100);
    },
  },
  {
    name: 'Goldmane rejects List',
    run: async (installation) => {
      installation.world.goldmane.faults.answerLists({ status: 'UNAVAILABLE' });
      await installation.pass(400);
      installation.world.goldmane.faults.answerLists('serve');
    },
  },
];

/**
 * Fills the file system until PostgreSQL reports it, and keeps it full until the worker logs it, which takes a while
 * because small transactions fit into existing pages. PostgreSQL itself exits when it cannot write its log.
 */
async function fillDisk(installation: Installation): Promise<void> {
  const { disk, postgres } = installation.servers;
  if (typeof disk === 'string') return;
  const before = loggedFullDisk(installation);
  await disk.fill();
  await until('PostgreSQL reports the full disk', () => hasNoRoom(installation));
  const isLogged = await until(
    'the worker logs the full disk',
    () => (loggedFullDisk(installation) > before ? true : undefined),
    noticeLimitMs,
  ).catch(() => false);
  installation.fullDiskLogged ||= isLogged;
  await disk.free();
  await until('PostgreSQL accepts writes', async () => {
    await postgres.start();
    return (await hasNoRoom(installation)) ? undefined : true;
  });
}

/** The number of failures with a full disk that workers have logged. */
function loggedFullDisk({ world }: Installation): number {
  return world.workers.reduce((sum, worker) => sum + failuresIn(worker, 'full').length, 0);
}

/** Undefined while a table can still grow by a megabyte. */
async function hasNoRoom(installation: Installation): Promise<true | undefined> {
  try {
    await installation.admin(
      `create table no_room as select repeat('x', 1000) as filler from generate_series(1, 1000); drop table no_room`,
    );
    return undefined;
  } catch (error) {
    const isFull = error instanceof pg.DatabaseError && error.code === diskFull;
    // PostgreSQL may have exited because of the full disk, or be recovering.
    if (isFull || !(error instanceof pg.DatabaseError)) return true;
    throw error;
  }
}
