import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readCoverage } from '../../src/trail/coverage-ranges/coverage.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { saltedHasher } from '../../src/trail/merge/record-hash.ts';
import type { BucketBatch } from '../../src/trail/record.ts';
import { verify } from '../../src/trail/verify.ts';
import { foldListed, foldStreamed } from '../support/captured-buckets.ts';
import { collidingDestinations, collidingFlows } from '../support/colliding-flows.ts';
import { createMigratedDatabase, databasePerTest, readEdges } from '../support/database.ts';
import { encodeFlow } from '../unit/trail/flow-messages.ts';
import { batch, listed, options, startSeconds, streamed } from './ledger-batches.ts';
import { folderOfTest } from '../support/folder.ts';

const closing: (() => Promise<unknown>)[] = [];
const db = databasePerTest();
const { database } = db;

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

const collision = collidingFlows(startSeconds).map(encodeFlow);

function streamedCollision(): BucketBatch[] {
  return foldStreamed(collision, startSeconds + 30);
}

function listedCollision(): BucketBatch[] {
  const { records } = foldListed(collision, startSeconds);
  return [batch(startSeconds, records, { settled: 'final' })];
}

async function storedHashes(from: Database): Promise<string | undefined> {
  const [row] = await from.query<{ hashes: string }>(
    `select encode(streamed || settled, 'hex') as hashes from bucket_ledger`,
  );
  return row?.hashes;
}

async function saltOf(from: Database): Promise<string | undefined> {
  const [row] = await from.query<{ salt: string }>(`select encode(salt, 'hex') as salt from record_salt`);
  return row?.salt;
}

test('two records with the same unsalted hash are both counted, once each, by stream and list', async () => {
  await merge(database, streamedCollision(), options);
  await merge(database, listedCollision(), options);
  await merge(database, streamedCollision(), options);
  expect((await readEdges(database)).map(({ dst_ns, flow_count }) => [dst_ns, flow_count])).toEqual(
    collidingDestinations.map((namespace) => [namespace, 1]),
  );
  expect(await readCoverage(database.query, startSeconds, startSeconds + 15)).toMatchObject([
    { state: 'final' },
  ]);
  expect(await verify(database)).toEqual([]);
});

describe('the salt', () => {
  test('is 32 random bytes per database, so the hashes of a record differ', async () => {
    const other = await createMigratedDatabase();
    closing.push(() => other.drop());
    for (const each of [database, other.database])
      await merge(each, [batch(startSeconds, [streamed(1)])], options);
    expect(await saltOf(database)).toMatch(/^[0-9a-f]{64}$/);
    expect(await saltOf(other.database)).not.toBe(await saltOf(database));
    expect(await storedHashes(other.database)).not.toBe(await storedHashes(database));
  });

  test('stays the same after a restart of the worker', async () => {
    const salt = await saltOf(database);
    await merge(database, [batch(startSeconds, [streamed(1)])], options);
    expect(await migrate(database)).toEqual([]);
    const next = openDatabase({ url: db.url });
    closing.push(() => next.close());
    await merge(next, [batch(startSeconds, [streamed(1), listed(1)])], options);
    expect(await saltOf(next)).toBe(salt);
    expect((await readEdges(next)).map(({ flow_count }) => flow_count)).toEqual([1]);
  });

  test('of another database is used as soon as the URL points to it', async () => {
    const other = await createMigratedDatabase();
    const folder = await folderOfTest();
    closing.push(() => other.drop());
    const urlFile = join(folder, 'url');
    const moving = openDatabase({ urlFile });
    closing.push(() => moving.close());
    const records = [listed(1), listed(2)];
    for (const url of [db.url, other.url, db.url, other.url]) {
      await writeFile(urlFile, url);
      await merge(moving, [batch(startSeconds, records, { settled: 'settled' })], options);
    }
    for (const each of [database, other.database]) {
      expect((await readEdges(each)).map(({ flow_count }) => flow_count)).toEqual([2]);
      expect((await storedHashes(each))?.length).toBe(32);
    }
  });

  test('is reported with the cure if it is missing', async () => {
    await database.query('delete from record_salt');
    await expect(merge(database, [batch(startSeconds, [streamed(1)])], options)).rejects.toThrow(
      'record_salt',
    );
    expect(await readEdges(database)).toEqual([]);
  });
});

test('a listed bucket with two records of the same hash is incomplete, and edges agree with facts', async () => {
  const content = (n: number) => listed(n).key.content;
  const colliding = new Set([content(1), content(2)]);
  const hasher = saltedHasher(Buffer.alloc(32));
  vi.spyOn(hasher, 'hashOf').mockImplementation(({ content: each }) =>
    colliding.has(each) ? 1n : hasher.hash(each),
  );
  await database.query('update record_salt set salt = $1', [Buffer.alloc(32)]);
  await merge(database, [batch(startSeconds, [streamed(1)], { streamedWhole: true })], options);
  const summary = await merge(
    database,
    [batch(startSeconds, [listed(1), listed(2), listed(3)], { settled: 'final' })],
    options,
  );
  expect(summary).toMatchObject({ collidedRecords: 2, newFactRecords: 1 });
  expect(await readCoverage(database.query, startSeconds, startSeconds + 15)).toMatchObject([
    { state: 'incomplete', refusedRecords: 2 },
  ]);
  expect(await verify(database)).toEqual([]);
});
