import { beforeEach, describe, expect, test } from 'vitest';
import { decideCoverage } from '../../src/trail/coverage-ranges/decide-coverage.ts';
import { expireLedger } from '../../src/trail/merge/ledger.ts';
import type { Database } from '../../src/trail/database/database.ts';

import { merge } from '../../src/trail/merge/merge.ts';
import { databasePerTest, readEdges } from '../support/database.ts';
import { until } from '../support/poll.ts';
import { deferred } from './deferred.ts';
import { batch, options, startSeconds as start, streamed } from './ledger-batches.ts';

const { database } = databasePerTest();

interface Gate {
  /** A database whose transactions wait before they commit. */
  gated: Database;
  /** Resolves when a transaction waits for its commit. */
  reached: Promise<void>;
  open(): void;
}

function gate(): Gate {
  const reached = deferred();
  const opened = deferred();
  const gated: Database = {
    ...database,
    transaction: (work) =>
      database.transaction(async (query) => {
        const result = await work(query);
        reached.resolve();
        await opened.promise;
        return result;
      }),
  };
  return { gated, reached: reached.promise, open: () => opened.resolve() };
}

function untilBlocked(): Promise<true> {
  return until('a session waits for a lock', async () => {
    const waiting = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return waiting.length > 0 || undefined;
  });
}

async function counts(): Promise<number[]> {
  return (await readEdges(database)).map(({ flow_count }) => flow_count);
}

describe('a merge and the expiry of its bucket', () => {
  const old = [batch(start, [streamed(1)])];

  beforeEach(async () => {
    await merge(database, [batch(start + 9_000, [streamed(1)])], options);
    await decideCoverage(database, start + 8_000, 'away');
  });

  test('if the expiry is about to commit, the merge waits and is rejected', async () => {
    await merge(database, old, options);
    const expiry = gate();
    const expired = expireLedger(expiry.gated, 7_200);
    await expiry.reached;
    const merged = merge(database, [batch(start, [streamed(1), streamed(2)])], options);
    await untilBlocked();
    expiry.open();
    expect(await expired).toBe(1);
    expect(await merged).toMatchObject({ refusedBuckets: 1, newEdgeRecords: 0 });
    expect(await counts()).toEqual([2]);
  });

  test('if the merge is about to commit, it counts, the expiry waits, and nothing is counted again', async () => {
    const writer = gate();
    const merged = merge(writer.gated, old, options);
    await writer.reached;
    const expired = expireLedger(database, 7_200);
    writer.open();
    expect(await merged).toMatchObject({ refusedBuckets: 0, newEdgeRecords: 1 });
    await expired;
    await expireLedger(database, 7_200);
    expect(await merge(database, old, options)).toMatchObject({ refusedBuckets: 1, newEdgeRecords: 0 });
    expect(await counts()).toEqual([2]);
    expect(await database.query('select from bucket_ledger')).toHaveLength(1);
  });
});

describe('two merges of the same records', () => {
  const records = [batch(start, [streamed(1), streamed(2)])];

  test('count them once, because the second waits for the first', async () => {
    const first = gate();
    const merged = merge(first.gated, records, options);
    await first.reached;
    const second = merge(database, records, options);
    await untilBlocked();
    first.open();
    expect(await merged).toMatchObject({ newEdgeRecords: 2 });
    expect(await second).toMatchObject({ newEdgeRecords: 0, newEdges: [] });
    expect(await counts()).toEqual([2]);
  });

  test('count them even if the first fails before its commit', async () => {
    const first = gate();
    const broken: Database = {
      ...first.gated,
      transaction: (work) =>
        first.gated.transaction(async (query) => {
          await work(query);
          throw new Error('the worker was killed');
        }),
    };
    await expect(merge(broken, records, options)).rejects.toThrow('the worker was killed');
    expect(await counts()).toEqual([]);
    expect(await merge(database, records, options)).toMatchObject({ newEdgeRecords: 2 });
    expect(await counts()).toEqual([2]);
  });
});

describe('a transaction', () => {
  /** Locks two edges in the given order, while another transaction locks them in the opposite order. */
  function lockBoth(order: [string, string], meet: () => Promise<void>): Promise<number> {
    let tries = 0;
    return database.transaction(async (query) => {
      tries += 1;
      await query('update edge set flow_count = flow_count + 1 where dst_ns = $1', [order[0]]);
      if (tries === 1) await meet();
      await query('update edge set flow_count = flow_count + 1 where dst_ns = $1', [order[1]]);
      return tries;
    });
  }

  function meeting(): () => Promise<void> {
    const both = deferred();
    let present = 0;
    return () => {
      present += 1;
      if (present === 2) both.resolve();
      return both.promise;
    };
  }

  beforeEach(async () => {
    await merge(database, [batch(start, [streamed(1, 'b'), streamed(2, 'c')])], options);
  });

  test('that ends in a deadlock is retried, and both take effect', async () => {
    const meet = meeting();
    const tries = await Promise.all([lockBoth(['b', 'c'], meet), lockBoth(['c', 'b'], meet)]);
    expect(tries.reduce((sum, count) => sum + count)).toBe(3);
    expect(await counts()).toEqual([3, 3]);
  });

  test('that cannot be serialized is retried', async () => {
    const meet = meeting();
    let tries = 0;
    const increment = () => {
      let own = 0;
      return database.transaction(async (query) => {
        own += 1;
        tries += 1;
        // The isolation level can only be set before the first query, and beginning a transaction runs one.
        await query('rollback; begin isolation level repeatable read');
        const [row] = await query<{ flow_count: string }>(`select flow_count from edge where dst_ns = 'b'`);
        if (own === 1) await meet();
        await query(`update edge set flow_count = $1 where dst_ns = 'b'`, [Number(row?.flow_count) + 1]);
      });
    };
    await Promise.all([increment(), increment()]);
    expect(tries).toBe(3);
    expect(await counts()).toEqual([3, 1]);
  });

  test('that conflicts repeatedly fails with the conflict', async () => {
    let tries = 0;
    const failed = database.transaction(async (query) => {
      tries += 1;
      await query(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
    });
    const error: unknown = await failed.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ system: 'database', sqlState: '40001' });
    expect(tries).toBe(6);
  });

  test('is rolled back if its work throws, and fails with that error', async () => {
    const own = new RangeError('of its own');
    await expect(
      database.transaction(async (query) => {
        await query('delete from edge');
        throw own;
      }),
    ).rejects.toBe(own);
    expect(await counts()).toEqual([1, 1]);
  });
});
