import { describe, expect, test } from 'vitest';
import { decideCoverage } from '../../src/trail/coverage-ranges/decide-coverage.ts';
import { expireLedger } from '../../src/trail/merge/ledger.ts';
import { HashSet } from '../../src/trail/merge/hashes.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { saltedHasher } from '../../src/trail/merge/record-hash.ts';
import { databasePerTest, readEdges } from '../support/database.ts';
import { batch, listed, options, startSeconds as start, streamed } from './ledger-batches.ts';

const { database } = databasePerTest();

async function counts(): Promise<number[]> {
  return (await readEdges(database)).map(({ flow_count }) => flow_count);
}

/** Expires everything except the hour before the newest bucket. */
async function expireBefore(newest: number): Promise<number> {
  await merge(database, [batch(newest, [streamed(1)])], options);
  await decideCoverage(database, newest - 3_660, 'away');
  return expireLedger(database, 7_200);
}

describe('a bucket whose hashes have expired', () => {
  test('is rejected by stream and settling, and is never counted again', async () => {
    await merge(database, [batch(start, [streamed(1), streamed(2)])], options);
    expect(await expireBefore(start + 7_215)).toBe(1);
    const before = await readEdges(database);
    const summary = await merge(
      database,
      [batch(start, [streamed(1), streamed(3)]), batch(start, [listed(1)], { settled: 'final' })],
      options,
    );
    expect(summary).toMatchObject({ buckets: 0, refusedBuckets: 1, newEdgeRecords: 0, newFactRecords: 0 });
    expect(await readEdges(database)).toEqual(before);
    expect(
      await database.query('select from bucket_ledger where bucket <= to_timestamp($1)', [start]),
    ).toEqual([]);
  });

  test('does not prevent other buckets of the same merge from being counted', async () => {
    await merge(database, [batch(start, [streamed(1)])], options);
    await expireBefore(start + 7_215);
    const summary = await merge(
      database,
      [batch(start, [streamed(1)]), batch(start + 7_230, [streamed(1)])],
      options,
    );
    expect(summary).toMatchObject({ buckets: 1, refusedBuckets: 1, newEdgeRecords: 1 });
    expect(await counts()).toEqual([3]);
  });

  test('is a bucket too far behind the newest bucket, regardless of any clock', async () => {
    for (const age of [7_215, 7_200, 7_185])
      await merge(database, [batch(start - age, [streamed(1)])], options);
    await merge(database, [batch(start, [streamed(1)])], { ...options, nowSeconds: 0 });
    await decideCoverage(database, start - 15, 'away');
    expect(await expireLedger(database, 7_200)).toBe(1);
    expect(await expireLedger(database, 7_200)).toBe(0);
  });

  test('is recorded only when a bucket expires', async () => {
    const version = async () =>
      (await database.query<{ xmin: string }>('select xmin::text from trail_state'))[0]?.xmin;
    await merge(database, [batch(start - 7_215, [streamed(1)]), batch(start, [streamed(1)])], options);
    await decideCoverage(database, start - 15, 'away');
    const decided = await version();
    expect(await expireLedger(database, 7_200)).toBe(1);
    const expired = await version();
    expect(expired).not.toBe(decided);
    expect(await expireLedger(database, 7_200)).toBe(0);
    expect(await version()).toBe(expired);
  });

  test('is never an undecided bucket', async () => {
    await merge(database, [batch(start, [streamed(1)], { settled: 'settled' })], options);
    await decideCoverage(database, start + 15, 'away');
    await merge(database, [batch(start + 15, [streamed(1)]), batch(start + 90_000, [streamed(1)])], options);
    expect(await expireLedger(database, 7_200)).toBe(1);
    expect((await merge(database, [batch(start + 15, [streamed(2)])], options)).refusedBuckets).toBe(0);
  });

  test('is not caused by an empty bucket from a clock that was set ahead', async () => {
    await merge(database, [batch(start, [streamed(1)])], options);
    await merge(database, [batch(start + 1_000_000, [], { gapCause: 'empty' })], options);
    await decideCoverage(database, start + 900_000, 'away');
    expect(await expireLedger(database, 7_200)).toBe(0);
  });

  test('is counted at most once while it expires during concurrent merges', async () => {
    const old = Array.from({ length: 40 }, (_, n) => start + n * 15);
    await merge(
      database,
      old.map((bucket) => batch(bucket, [streamed(1)])),
      options,
    );
    await merge(database, [batch(start + 20_000 - (20_000 % 15), [streamed(1)])], options);
    await decideCoverage(database, start + 15_000, 'away');
    const again = () =>
      merge(
        database,
        old.map((bucket) => batch(bucket, [streamed(1)])),
        options,
      );
    await Promise.all([
      again(),
      again(),
      expireLedger(database, 7_200),
      again(),
      expireLedger(database, 7_200),
      again(),
    ]);
    await again();
    expect(await counts()).toEqual([41]);
  });
});

describe('the ledger', () => {
  async function stored(): Promise<{ streamed: string; settled: string; size: number; xmin: string }> {
    const [row] = await database.query<{ streamed: string; settled: string; size: number; xmin: string }>(
      `select encode(streamed, 'hex') as streamed, encode(settled, 'hex') as settled,
         (pg_total_relation_size(c.reltoastrelid))::int as size, l.xmin::text as xmin
       from bucket_ledger l, pg_class c where c.oid = 'bucket_ledger'::regclass`,
    );
    if (!row) throw new Error('there is no row');
    return row;
  }

  /** The hashes of records as the ledger stores them. */
  async function packer(): Promise<(...records: number[]) => string> {
    const [row] = await database.query<{ salt: Buffer }>('select salt from record_salt');
    const hasher = saltedHasher(row?.salt);
    return (...records) =>
      HashSet.of(...records.map((n) => hasher.hash(`${n}`)))
        .pack()
        .toString('hex');
  }

  test('stores each hash once: as counted in edges only, or also in facts', async () => {
    const packed = await packer();
    await merge(database, [batch(start, [streamed(1), streamed(2)])], options);
    expect(await stored()).toMatchObject({ streamed: packed(1, 2), settled: '' });
    await merge(database, [batch(start, [listed(2), listed(3)], { settled: 'settled' })], options);
    expect(await stored()).toMatchObject({ streamed: packed(1), settled: packed(2, 3) });
    expect(await counts()).toEqual([3]);
  });

  test('is not written without new records', async () => {
    const batches = [batch(start, [streamed(1), listed(2)], { settled: 'settled', streamedWhole: true })];
    await merge(database, batches, options);
    const before = await stored();
    const edges = await database.query('select xmin::text, * from edge');
    await merge(database, batches, options);
    expect(await stored()).toEqual(before);
    expect(await database.query('select xmin::text, * from edge')).toEqual(edges);
  });

  test('does not rewrite its hashes if only marks change', async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => listed(n + 1));
    await merge(database, [batch(start, many)], options);
    const before = await stored();
    expect(before.size).toBeGreaterThan(80_000);
    for (const mark of [
      { streamedWhole: true },
      { settled: 'settled' },
      { settled: 'final' },
      { gapCause: 'x' },
    ] as const)
      await merge(database, [batch(start, [], mark)], options);
    const after = await stored();
    expect(after.xmin).not.toBe(before.xmin);
    expect(after).toEqual({ ...before, xmin: after.xmin });
  });

  test('keeps marks that are set, and the first cause', async () => {
    await merge(database, [batch(start, [], { gapCause: 'first' })], options);
    await merge(
      database,
      [batch(start, [], { gapCause: 'second', settled: 'final', streamedWhole: true })],
      options,
    );
    await merge(database, [batch(start, [streamed(1)])], options);
    const [row] = await database.query(
      `select gap_cause, streamed_whole, settled_at is not null as settled, final_at is not null as final from bucket_ledger`,
    );
    expect(row).toEqual({ gap_cause: 'first', streamed_whole: true, settled: true, final: true });
  });
});
