import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { jobs, supervisorWorkflowId } from '../../src/config/names.ts';
import { failuresIn } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { createNamespace } from '../support/world.ts';
import type { Fault } from './fault.ts';
import type { Stage } from './stage.ts';

/** SQLSTATE disk_full. */
const diskFull = '53100';
/** Real time: a quarter of what Goldmane keeps. */
const noticeLimitMs = 60_000;

/** What happens to servers. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'PostgreSQL killed and started again',
    run: async (stage) => {
      await stage.servers.postgres.kill();
      await stage.pass(200);
      await stage.servers.postgres.start();
    },
  },
  {
    name: "PostgreSQL's disk full",
    unavailable: ({ servers: { disk } }) => (typeof disk === 'string' ? disk : undefined),
    run: fillDisk,
  },
  {
    name: 'PgBouncer killed and started again',
    unavailable: ({ servers: { pooler } }) =>
      pooler === undefined ? 'PgBouncer is not installed' : undefined,
    run: async (stage) => {
      await stage.servers.pooler?.kill();
      await stage.pass(200);
      await stage.servers.pooler?.start();
    },
  },
  {
    name: 'Temporal killed and started again',
    run: async (stage) => {
      await stage.servers.temporal.kill();
      await stage.pass(300);
      await stage.servers.temporal.start();
    },
  },
  {
    name: "Temporal's database deleted",
    run: async (stage) => {
      const { temporal, scratch } = stage.servers;
      await temporal.kill();
      for (const suffix of ['', '-wal', '-shm'])
        await rm(join(scratch, `temporal.db${suffix}`), { force: true });
      await temporal.start();
      await stage.pass(100);
      await createNamespace(stage.world.namespace, temporal.address);
    },
  },
  {
    name: 'supervisor terminated',
    run: async (stage) => {
      await stage.world
        .temporal((client) => client.workflow.getHandle(supervisorWorkflowId).terminate('soak'))
        .catch(() => undefined);
      await stage.pass(150);
    },
  },
  {
    name: 'schedule deleted',
    run: async (stage) => {
      await stage.world
        .temporal((client) => client.schedule.getHandle(jobs.digest.scheduleId).delete())
        .catch(() => undefined);
      await stage.pass(100);
    },
  },
  {
    name: 'Goldmane holds its main loop',
    run: async (stage) => {
      stage.world.goldmane.faults.holdMainLoop(60_000);
      await stage.pass(100);
    },
  },
  {
    name: 'Goldmane refuses List',
    run: async (stage) => {
      stage.world.goldmane.faults.answerLists({ status: 'UNAVAILABLE' });
      await stage.pass(400);
      stage.world.goldmane.faults.answerLists('serve');
    },
  },
];

/**
 * Fills the file system until PostgreSQL says so, and leaves it full until the worker has noticed: small transactions find room in
 * pages that exist already. PostgreSQL itself ends when it has no room for its log.
 */
async function fillDisk(stage: Stage): Promise<void> {
  const { disk, postgres } = stage.servers;
  if (typeof disk === 'string') return;
  const before = noticed(stage);
  await disk.fill();
  await until('PostgreSQL has no room', () => hasNoRoom(stage));
  const isNoticed = await until(
    'the worker notices',
    () => (noticed(stage) > before ? true : undefined),
    noticeLimitMs,
  ).catch(() => false);
  stage.fullDiskNoticed ||= isNoticed;
  await disk.free();
  await until('PostgreSQL takes writes', async () => {
    await postgres.start();
    return (await hasNoRoom(stage)) ? undefined : true;
  });
}

function noticed({ world }: Stage): number {
  return world.workers.reduce((sum, worker) => sum + failuresIn(worker, 'full').length, 0);
}

/** Undefined while a table can still grow by a megabyte. */
async function hasNoRoom(stage: Stage): Promise<true | undefined> {
  try {
    await stage.admin(
      `create table no_room as select repeat('x', 1000) as filler from generate_series(1, 1000); drop table no_room`,
    );
    return undefined;
  } catch (error) {
    const isFull = error instanceof pg.DatabaseError && error.code === diskFull;
    // It may have ended for want of room, and be recovering.
    if (isFull || !(error instanceof pg.DatabaseError)) return true;
    throw error;
  }
}
