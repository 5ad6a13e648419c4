import { describe, expect, test } from 'vitest';
import { readCoverage, readGaps, type CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { decideCoverage } from '../../src/trail/coverage-ranges/decide-coverage.ts';
import { expireLedger, readLedger } from '../../src/trail/merge/ledger.ts';
import { recordTrouble } from '../../src/trail/coverage-ranges/trouble.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import type { BucketBatch } from '../../src/trail/record.ts';
import { databasePerTest } from '../support/database.ts';

const start = 1_800_000_000;
const at = (n: number) => start + n * 15;
const edge = { srcNs: 'a', dstNs: 'b', action: 'allow' } as const;
const notRead = 'not read in time';
const { database } = databasePerTest();

type Mark = Omit<BucketBatch, 'startSeconds' | 'records'>;

/** Merges one record into each of the buckets n0 to n1 - 1, with these marks. */
async function put(
  n0: number,
  n1: number,
  mark: Mark = {},
  records: readonly string[] = ['1'],
): Promise<void> {
  const batches = Array.from({ length: n1 - n0 }, (_, index) => ({
    startSeconds: at(n0 + index),
    records: records.map((content) => ({ key: { content }, edge })),
    ...mark,
  }));
  await merge(database, batches, { portCap: 64, nowSeconds: at(n1) });
}

function text({ fromSeconds, toSeconds, state, cause }: CoverageStretch): string {
  const [from, to] = [(fromSeconds - start) / 15, (toSeconds - start) / 15];
  return [from, to, state, ...(cause === undefined ? [] : [cause])].join(' ');
}

async function decide(n: number): Promise<string[]> {
  return (await decideCoverage(database, at(n), notRead)).map(text);
}

async function coverage(from = -1_000, to = 1_000): Promise<string[]> {
  return (await readCoverage(database.query, at(from), at(to))).map(text);
}

describe('decided coverage', () => {
  test('is the state of each bucket; an unobserved bucket is a gap with its known cause', async () => {
    await put(0, 2, { settled: 'final' });
    await put(2, 4, { settled: 'settled' });
    await put(4, 6, { streamedWhole: true });
    await put(6, 7, { gapCause: 'restarted' });
    await put(7, 8);
    expect(await decide(10)).toEqual(['6 7 gap restarted', '7 10 gap not read in time']);
    expect(await coverage(0, 10)).toEqual([
      '0 2 final',
      '2 4 settled',
      '4 6 streamed',
      '6 7 gap restarted',
      '7 10 gap not read in time',
    ]);
  });

  test('uses the current problem as the cause of a gap', async () => {
    await put(0, 1, { settled: 'final' });
    await recordTrouble(database.query, 'stale certificate', at(1));
    expect(await decide(3)).toEqual(['1 3 gap stale certificate']);
    await recordTrouble(database.query, undefined, at(3));
    expect(await decide(4)).toEqual(['3 4 gap not read in time']);
  });

  test('is final: a bucket that is settled later does not change it', async () => {
    await put(0, 1, { settled: 'final' });
    await decide(3);
    await put(1, 3, { settled: 'final' });
    expect(await decide(3)).toEqual([]);
    expect(await coverage(0, 3)).toEqual(['0 1 final', '1 3 gap not read in time']);
  });

  test('is one range for months without a gap, after any number of decisions', async () => {
    await put(0, 40, { settled: 'final' });
    for (let n = 1; n <= 40; n += 1) expect(await decide(n)).toEqual([]);
    expect(await database.query('select from coverage')).toHaveLength(1);
    expect(await coverage(0, 40)).toEqual(['0 40 final']);
  });

  test('is one row for a gap that grows over many decisions', async () => {
    await put(0, 1, { settled: 'final' });
    for (let n = 2; n <= 12; n += 1) expect(await decide(n)).toEqual([`${n - 1} ${n} gap not read in time`]);
    expect(await coverage(0, 12)).toEqual(['0 1 final', '1 12 gap not read in time']);
    expect((await readGaps(database.query, 20)).map(text)).toEqual(['1 12 gap not read in time']);
  });

  test('is decided once by two concurrent workers', async () => {
    await put(0, 20, { settled: 'settled' });
    await put(22, 30, { settled: 'settled' });
    const found = await Promise.all(Array.from({ length: 6 }, (_, index) => decide(index < 3 ? 30 : 25)));
    expect(found.flat()).toEqual(['20 22 gap not read in time']);
    expect(await coverage(0, 30)).toEqual(['0 20 settled', '20 22 gap not read in time', '22 30 settled']);
  });

  test('is not undone when a clock is set back', async () => {
    await put(0, 4, { settled: 'final' });
    await decide(4);
    expect(await decide(2)).toEqual([]);
    expect(await coverage(0, 4)).toEqual(['0 4 final']);
  });
});

describe('the beginning of the trail', () => {
  test('is the first observed bucket: nothing before it is a gap', async () => {
    await put(0, 5, { gapCause: 'empty' }, []);
    expect(await decide(5)).toEqual([]);
    expect(await coverage(0, 5)).toEqual([]);
    await put(5, 6, { settled: 'settled' });
    expect(await decide(7)).toEqual(['6 7 gap not read in time']);
    expect(await coverage()).toEqual(['5 6 settled', '6 7 gap not read in time', '7 1000 pending']);
  });

  test('is an empty bucket, if it was settled or streamed completely', async () => {
    await put(3, 4, { streamedWhole: true }, []);
    expect(await coverage(0, 5)).toEqual(['3 4 streamed', '4 5 pending']);
    await put(2, 3, { settled: 'settled' }, []);
    expect(await coverage(0, 5)).toEqual(['2 3 settled', '3 4 streamed', '4 5 pending']);
  });

  test('moves to an older bucket that settling finds later', async () => {
    await put(200, 201, { streamedWhole: true });
    expect(await decide(0)).toEqual([]);
    await put(0, 200, { settled: 'settled' });
    expect(await coverage(0, 201)).toEqual(['0 200 settled', '200 201 streamed']);
    expect(await decide(100)).toEqual([]);
    expect(await coverage(0, 201)).toEqual(['0 200 settled', '200 201 streamed']);
  });

  test('is undefined until a bucket is observed', async () => {
    expect(await decide(100)).toEqual([]);
    expect(await coverage()).toEqual([]);
    expect(await readGaps(database.query, 20)).toEqual([]);
  });
});

describe('reading coverage', () => {
  test('joins decided coverage with the ledger of the last hour; time without a ledger row is pending', async () => {
    await put(0, 10, { settled: 'settled' });
    await decide(5);
    expect(await coverage(0, 12)).toEqual(['0 10 settled', '10 12 pending']);
  });

  test('accepts any start and end', async () => {
    await put(0, 10, { settled: 'settled' });
    await put(10, 12, { streamedWhole: true });
    await decide(5);
    const cut = async (from: number, to: number) =>
      (await readCoverage(database.query, start + from, start + to)).map(
        ({ fromSeconds, toSeconds, state }) => [fromSeconds - start, toSeconds - start, state],
      );
    expect(await cut(7, 20)).toEqual([[7, 20, 'settled']]);
    expect(await cut(100, 157)).toEqual([
      [100, 150, 'settled'],
      [150, 157, 'streamed'],
    ]);
    expect(await cut(151, 152)).toEqual([[151, 152, 'streamed']]);
  });

  test('returns the newest gaps up to the limit, oldest first', async () => {
    await put(0, 1, { settled: 'final' });
    await put(2, 3, { settled: 'final' });
    await put(4, 5, { settled: 'final' });
    await decide(6);
    expect((await readGaps(database.query, 2)).map(text)).toEqual([
      '3 4 gap not read in time',
      '5 6 gap not read in time',
    ]);
  });

  test('works after the ledger has expired', async () => {
    await put(0, 4, { settled: 'final' });
    await put(1_000, 1_001, { settled: 'final' });
    await decide(900);
    await expireLedger(database, 7_200);
    expect((await readLedger(database.query, 0)).map(({ startSeconds }) => startSeconds)).toEqual([
      at(1_000),
    ]);
    expect(await coverage(0, 900)).toEqual(['0 4 final', '4 900 gap not read in time']);
  });
});

describe('a clock that was set far ahead', () => {
  test('decides undecided buckets as gaps, permanently; records merged afterwards are still counted', async () => {
    await put(0, 4, { settled: 'final' });
    await decide(20);
    await put(4, 20, { settled: 'final' });
    await decide(20);
    expect(await coverage(0, 20)).toEqual(['0 4 final', '4 20 gap not read in time']);
    const [row] = await database.query<{ flow_count: string }>('select flow_count from edge');
    expect(row?.flow_count).toBe('20');
  });
});
