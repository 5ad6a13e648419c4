import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { claimTrail, readClaimedSupervisor, renewClaim } from '../../src/trail/trail-claim.ts';
import { beginWorkerProcess, endWorkerProcess } from '../../src/trail/worker-processes.ts';
import { databasePerTest } from '../support/database.ts';

const db = databasePerTest();

const north = { supervisor: 'flow-trail/north/supervisor', temporalNamespace: 'default (1)' };
const south = { ...north, supervisor: 'flow-trail/south/supervisor' };
const namesake = { ...north, temporalNamespace: 'default (2)' };

async function begin(): Promise<string> {
  const process = randomUUID();
  await beginWorkerProcess(db.database.query, `${process}@host`, process);
  return process;
}
const claim = async (process: string, claimed: typeof north) => claimTrail(db.database, process, claimed);
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

test('a process that ended, failed or was killed does not hold the database', async () => {
  const { query } = db.database;
  const [ended, failed, killed] = [await begin(), await begin(), await begin()];
  for (const process of [ended, failed, killed]) await claim(process, north);
  await endWorkerProcess(query, ended, undefined);
  await endWorkerProcess(query, failed, 'a test');
  await expect(claim(await begin(), south)).rejects.toMatchObject(refused);
  await query("update worker_process set seen_at = now() - interval '61 s' where process = $1", [killed]);
  await claim(await begin(), south);
  expect(await readClaimedSupervisor(query)).toBe(south.supervisor);
});

test('after Temporal lost its data, running workers continue, and new ones can join them', async () => {
  const running = await begin();
  await claim(running, north);
  await renewClaim(db.database.query, running, namesake);
  await claim(await begin(), namesake);
  await expect(claim(await begin(), north)).rejects.toMatchObject(refused);
});

test('a process of an older version, which records no supervisor, refuses nobody', async () => {
  await begin();
  await claim(await begin(), north);
});
