import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { withLease } from '../../src/trail/workers/lease.ts';
import { removePresence, renewPresence } from '../../src/trail/workers/worker-presence.ts';
import { databasePerTest } from '../support/database.ts';

const db = databasePerTest();
const { query } = db.database;

/** A process that renews its presence with this identity. */
function workerOf(identity: string) {
  const holder = randomUUID();
  return {
    renew: () => renewPresence(query, identity, holder),
    remove: () => removePresence(query, identity, holder),
  };
}
const age = (identity: string, seconds: number) =>
  query('update lease set expires_at = now() - make_interval(secs => $2) where name = $1', [
    `worker/${identity}`,
    seconds,
  ]);

test('a worker that stopped renewing its presence is reported to the others, until it renews again', async () => {
  const [one, other] = [workerOf('1@one'), workerOf('1@other')];
  expect(await one.renew()).toEqual([]);
  expect(await other.renew()).toEqual([]);
  await age('1@one', 1);
  expect(await other.renew()).toEqual(['1@one']);
  expect(await one.renew()).toEqual([]);
  expect(await other.renew()).toEqual([]);
});

test('a worker that shuts down cleanly is not reported, and its successor with the same identity keeps its row', async () => {
  const [one, successor, other] = [workerOf('1@one'), workerOf('1@one'), workerOf('1@other')];
  await one.renew();
  await successor.renew();
  await one.remove();
  expect(await query('select from lease')).toHaveLength(1);
  await successor.remove();
  expect(await other.renew()).toEqual([]);
});

test('a row that expired long ago is deleted; other leases are not', async () => {
  await withLease(db.database, 'digest', async () => {
    await query("update lease set expires_at = now() - interval '1 day'");
    await workerOf('1@one').renew();
    await age('1@one', 301);
    const other = workerOf('1@other');
    await other.renew();
    expect(await other.renew()).toEqual([]);
    expect(await query('select name from lease order by name')).toEqual([
      { name: 'digest' },
      { name: 'worker/1@other' },
    ]);
  });
});
