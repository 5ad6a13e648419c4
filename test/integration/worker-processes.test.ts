import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  beginWorkerProcess,
  endWorkerProcess,
  readCrashes,
  renewWorkerProcess,
} from '../../src/trail/workers/worker-processes.ts';
import { databasePerTest } from '../support/database.ts';

const { query } = databasePerTest().database;

async function begin(worker: string): Promise<string> {
  const process = randomUUID();
  await beginWorkerProcess(query, worker, process);
  return process;
}
const age = (process: string, minutes: number) =>
  query('update worker_process set seen_at = now() - make_interval(secs => $2) where process = $1', [
    process,
    minutes * 60,
  ]);
const count = async () => (await readCrashes(query)).count;

test('a process counts as crashed while its row is expired, for at most half an hour', async () => {
  const process = await begin('1@one');
  expect(await count()).toBe(0);
  await age(process, 1);
  expect(await count()).toBe(1);
  await age(process, 31);
  expect(await count()).toBe(0);
  await age(process, 1);
  await renewWorkerProcess(query, process);
  expect(await count()).toBe(0);
});

test('a restarted container counts its previous processes immediately; another worker does not', async () => {
  for (let restart = 0; restart < 3; restart += 1) await begin('1@one');
  await begin('1@other');
  expect(await count()).toBe(2);
});

test('a process that shuts down cleanly does not count, and one that fails counts with its error', async () => {
  await endWorkerProcess(query, await begin('1@one'), undefined);
  expect(await count()).toBe(0);
  const killed = await begin('2@one');
  await age(killed, 5);
  await endWorkerProcess(query, await begin('3@one'), 'it is broken');
  const crashes = await readCrashes(query);
  expect(crashes).toMatchObject({ count: 2, failure: 'it is broken' });
  expect(crashes.lastAt?.getTime()).toBeGreaterThan(Date.now() - 60_000);
});

test('rows are deleted after a week', async () => {
  await age(await begin('1@one'), 8 * 24 * 60);
  await age(await begin('2@one'), 6 * 24 * 60);
  await begin('3@one');
  expect(await query('select worker from worker_process order by worker')).toEqual([
    { worker: '2@one' },
    { worker: '3@one' },
  ]);
});
