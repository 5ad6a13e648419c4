import { expect, inject, test } from 'vitest';
import { readGaps } from '../../src/trail/coverage-ranges/coverage.ts';
import { decideCoverage } from '../../src/trail/coverage-ranges/decide-coverage.ts';
import { restoredCause } from '../../src/trail/coverage-ranges/detect-restore.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { verify } from '../../src/trail/verify.ts';
import { databasePerTest } from '../support/database.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

const db = databasePerTest();

const hourSeconds = 3_600;

/** Settles the buckets between two times and decides coverage up to an hour before the end. */
async function follow(database: Database, from: number, to: number): Promise<void> {
  const batches = Array.from({ length: (to - from) / 15 }, (_, n) =>
    batch(from + n * 15, [listed(from + n)], { settled: 'final' }),
  );
  await merge(database, batches, options);
  await decideCoverage(database, to - hourSeconds, 'the worker was down');
}

test('after an old backup is restored, the lost time is a gap whose cause is the restore', async () => {
  const backupAt = startSeconds + 2 * hourSeconds;
  await follow(db.database, startSeconds, backupAt);
  await db.database.close();
  const restored = `${new URL(db.url).pathname.slice(1)}_restored`;
  const admin = openDatabase({ url: inject('postgresUrl') });
  await admin.withClient((client) =>
    client.query(`create database ${restored} template ${new URL(db.url).pathname.slice(1)}`),
  );
  const url = new URL(db.url);
  url.pathname = `/${restored}`;
  const database = openDatabase({ url: url.href });
  try {
    // Restored three hours later: Goldmane has the last hour.
    const restoredAt = backupAt + 3 * hourSeconds;
    await follow(database, restoredAt - hourSeconds, restoredAt);
    expect(await readGaps(database.query, 10)).toEqual([
      {
        fromSeconds: backupAt,
        toSeconds: restoredAt - hourSeconds,
        state: 'gap',
        cause: restoredCause,
      },
    ]);
    await decideCoverage(database, restoredAt + hourSeconds, 'the worker was down');
    expect((await readGaps(database.query, 10)).map(({ cause }) => cause)).toEqual([
      restoredCause,
      'the worker was down',
    ]);
    expect(await verify(database)).toEqual([]);
  } finally {
    await database.close();
    await admin.withClient((client) => client.query(`drop database ${restored} with (force)`));
    await admin.close();
  }
});
