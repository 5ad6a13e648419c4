import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  claimedDatabase,
  claimTrail,
  expectNoOtherCluster,
  readClaimedSupervisor,
  renewClaim,
  SilenceWatch,
  untilNoOtherCluster,
} from '../../src/trail/database/trail-claim.ts';
import { beginWorkerProcess, endWorkerProcess } from '../../src/trail/workers/worker-processes.ts';
import { decideCoverage } from '../../src/trail/coverage-ranges/decide-coverage.ts';
import { readLedger } from '../../src/trail/merge/ledger.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { recordTrouble } from '../../src/trail/coverage-ranges/trouble.ts';
import { createTestDatabase, databasePerTest, readEdges } from '../support/database.ts';
import { batch, listed, options } from './ledger-batches.ts';

const db = databasePerTest();

const north = { supervisor: 'flow-trail/north/supervisor', temporalNamespace: 'default (1)' };
const south = { ...north, supervisor: 'flow-trail/south/supervisor' };
const namesake = { ...north, temporalNamespace: 'default (2)' };

async function begin(): Promise<string> {
  const process = randomUUID();
  await beginWorkerProcess(db.database.query, `${process}@host`, process);
  return process;
}
/** How long processes have existed, on the clock of each of them. */
let elapsedMs = 0;
const newWatch = () => new SilenceWatch(() => elapsedMs);
const claim = async (process: string, claimed: typeof north, watch = newWatch()) =>
  claimTrail(db.database, process, claimed, watch);
const renew = (process: string, claimed: typeof north) =>
  renewClaim(db.database.query, { process, worker: `${process}@host` }, claimed);
/** Attempts of a waiting process, 15 s apart. */
async function claimWithin(seconds: number, process: string, watch: SilenceWatch): Promise<boolean> {
  for (let passed = 0; passed <= seconds; passed += 15) {
    if (passed > 0) elapsedMs += 15_000;
    const isClaimed = await claim(process, south, watch).then(
      () => true,
      () => false,
    );
    if (isClaimed) return true;
  }
  return false;
}
const refused = { system: 'database', kind: 'other_supervisor' };

test('replicas of one cluster share the database; another cluster or another Temporal server is refused', async () => {
  await claim(await begin(), north);
  await claim(await begin(), north);
  await expect(claim(await begin(), south)).rejects.toMatchObject(refused);
  await expect(claim(await begin(), namesake)).rejects.toMatchObject(refused);
  expect(await readClaimedSupervisor(db.database.query)).toBe(north.supervisor);
});

test('of two clusters that start at the same time, one is refused', async () => {
  const processes = [await begin(), await begin()];
  const results = await Promise.allSettled(
    processes.map((process, index) => claim(process, index === 0 ? north : south)),
  );
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

test('a process that ended or failed does not hold the database; one that was killed holds it for a minute, once', async () => {
  const { query } = db.database;
  const [ended, failed, killed] = [await begin(), await begin(), await begin()];
  for (const process of [ended, failed, killed]) await claim(process, north);
  await endWorkerProcess(query, ended, undefined);
  await endWorkerProcess(query, failed, 'a test');
  const [next, watch] = [await begin(), newWatch()];
  expect(await claimWithin(45, next, watch)).toBe(false);
  expect(await claimWithin(30, next, watch)).toBe(true);
  expect(await readClaimedSupervisor(query)).toBe(south.supervisor);
  await claim(await begin(), south);
});

test('after an outage of the database, a waiting process of another cluster does not start before the living one returns', async () => {
  const { query } = db.database;
  const [living, waiting, watch] = [await begin(), await begin(), newWatch()];
  await claim(living, north);
  expect(await claimWithin(30, waiting, watch)).toBe(false);
  await query("update worker_process set seen_at = now() - interval '10 min'");
  elapsedMs += 600_000;
  expect(await claimWithin(45, waiting, watch)).toBe(false);
  await renew(living, north);
  expect(await claimWithin(45, waiting, watch)).toBe(false);
  expect(await readClaimedSupervisor(query)).toBe(north.supervisor);
});

test('a process that returns after another cluster has started fails with other_supervisor', async () => {
  const suspended = await begin();
  await claim(suspended, north);
  expect(await claimWithin(60, await begin(), newWatch())).toBe(true);
  await expect(renew(suspended, north)).rejects.toMatchObject(refused);
});

test('a process that returns after another cluster has started can neither read nor write, even before it renews its claim', async () => {
  const { database } = db;
  const [suspended, sibling] = [await begin(), await begin()];
  for (const process of [suspended, sibling]) await claim(process, north);
  const claimed = claimedDatabase(database, suspended, north);
  const bucket = batch(1_700_000_000, [listed(1)], { settled: 'final' });
  await merge(claimed, [bucket], options);
  expect(await claimWithin(60, await begin(), newWatch())).toBe(true);
  const before = await readEdges(database);
  const next = batch(1_700_000_015, [listed(2)], { settled: 'final' });
  await expect(merge(claimed, [next], options)).rejects.toMatchObject({
    ...refused,
    what: expect.stringContaining(south.supervisor),
  });
  await expect(decideCoverage(claimed, 1_700_001_000, 'a test')).rejects.toMatchObject(refused);
  await expect(recordTrouble(claimed.query, 'a test', 1_700_001_000)).rejects.toMatchObject(refused);
  await expect(claimed.query('select from edge')).rejects.toMatchObject(refused);
  expect(await readEdges(database)).toEqual(before);
  expect(await readLedger(database.query, 0)).toHaveLength(1);
});

test('a process that returns after another cluster has started and its row was removed can neither write nor claim', async () => {
  const { query } = db.database;
  const suspended = await begin();
  await claim(suspended, north);
  const claimed = claimedDatabase(db.database, suspended, north);
  expect(await claimWithin(60, await begin(), newWatch())).toBe(true);
  await query('delete from worker_process where process = $1', [suspended]);
  await expect(claimed.query('select from edge')).rejects.toMatchObject(refused);
  await expect(renew(suspended, north)).rejects.toMatchObject(refused);
  expect(await query('select from worker_process where process = $1', [suspended])).toEqual([]);
});

test('a running process reads and writes a restored database, which does not contain its row', async () => {
  const living = await begin();
  await claim(living, north);
  await db.database.query('delete from worker_process');
  const claimed = claimedDatabase(db.database, living, north);
  await merge(claimed, [batch(1_700_000_000, [listed(1)], { settled: 'final' })], options);
  expect(await readLedger(claimed.query, 0)).toHaveLength(1);
});

test('a running process holds a restored database, which does not contain its row', async () => {
  const living = await begin();
  await claim(living, north);
  await db.database.query('delete from worker_process');
  await renew(living, north);
  await expect(claim(await begin(), south)).rejects.toMatchObject(refused);
});

test('after Temporal lost its data, running workers continue, and new ones can join them', async () => {
  const running = await begin();
  await claim(running, north);
  await renew(running, namesake);
  await claim(await begin(), namesake);
  await expect(claim(await begin(), north)).rejects.toMatchObject(refused);
});

test('a process of an older version, which records no supervisor, blocks no other process', async () => {
  await begin();
  await claim(await begin(), north);
});

test('before it migrates, a worker is refused while workers of another cluster live', async () => {
  const { query } = db.database;
  const killed = await begin();
  await claim(killed, north);
  const check = (supervisor: string, watch: SilenceWatch) =>
    expectNoOtherCluster(query, supervisor, watch).then(
      () => true,
      () => false,
    );
  const [next, watch] = [await begin(), newWatch()];
  await expect(expectNoOtherCluster(query, south.supervisor, watch)).rejects.toMatchObject(refused);
  expect(await check(north.supervisor, newWatch())).toBe(true);
  for (let passed = 0; passed < 60; passed += 15) {
    expect(await check(south.supervisor, watch)).toBe(false);
    elapsedMs += 15_000;
  }
  expect(await check(south.supervisor, watch)).toBe(true);
  // It has waited already.
  await claim(next, south, watch);
});

test('a command that migrates waits for a killed worker of another cluster, and is refused while one runs', async () => {
  const { query } = db.database;
  await claim(await begin(), north);
  const reasons: string[] = [];
  const migrateAs = (supervisor: string, meanwhile: () => Promise<unknown>) =>
    untilNoOtherCluster(
      query,
      supervisor,
      {
        elapsedMs: () => elapsedMs,
        sleep: (ms) => {
          elapsedMs += ms;
          return meanwhile();
        },
      },
      (reason) => reasons.push(reason),
    );
  await migrateAs(north.supervisor, () => Promise.resolve());
  expect(reasons).toEqual([]);
  const renewed = () => query("update worker_process set seen_at = seen_at + interval '5 s'");
  await expect(migrateAs(south.supervisor, renewed)).rejects.toMatchObject(refused);
  expect(reasons).toEqual([expect.stringContaining(north.supervisor)]);
  await migrateAs(south.supervisor, () => Promise.resolve());
});

test.each([undefined, '0045_worker_process'])(
  'no cluster is known before the migration (%s)',
  async (upTo) => {
    const older = await createTestDatabase();
    try {
      if (upTo !== undefined) {
        await migrate(older.database, { upTo });
        await beginWorkerProcess(older.database.query, 'a@host', randomUUID());
      }
      await expectNoOtherCluster(older.database.query, south.supervisor, newWatch());
    } finally {
      await older.drop();
    }
  },
);
