import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adopt, adoptIfCountedElsewhere } from '../../src/trail/edges/adopt.ts';
import type { Database } from '../../src/trail/database/database.ts';
import { expireLedger } from '../../src/trail/merge/ledger.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { verify } from '../../src/trail/verify.ts';
import { Aggregator } from '../support/aggregator.ts';
import { parseAnswer } from '../support/answer.ts';
import { flowTrailInProcess } from '../support/cli-in-process.ts';
import {
  createMigratedDatabase,
  createTestDatabase,
  readEdges,
  type TestDatabase,
} from '../support/database.ts';
import { batch, listed, options, streamed } from './ledger-batches.ts';

let db: TestDatabase;
let database: Database;
let aggregator: Aggregator;

const use = (created: TestDatabase) => {
  db = created;
  ({ database } = db);
  aggregator = new Aggregator(database);
};
afterEach(() => db.drop());

/** A day ago, because commands refuse times in the future. */
const start = Math.floor(Date.now() / 15_000 - 4 * 60 * 24) * 15;
const bucket = (index: number) => start + 15 * index;
const nowSeconds = bucket(1_000);
const stream = (index: number, ...records: number[]) =>
  merge(
    database,
    [
      batch(
        bucket(index),
        records.map((record) => streamed(record)),
      ),
    ],
    options,
  );
const list = (index: number, ...records: number[]) =>
  merge(
    database,
    [
      batch(
        bucket(index),
        records.map((record) => listed(record)),
        { settled: 'settled' },
      ),
    ],
    options,
  );
const count = async (index: number, times: number, dstNs = 'b') => {
  for (let each = 0; each < times; each += 1) await aggregator.count({ dstNs, startSeconds: bucket(index) });
};
const apply = () => adopt(database, { nowSeconds, isDryRun: false });

async function flowCounts(): Promise<Record<string, number>> {
  const edges = await readEdges(database);
  return Object.fromEntries(edges.map(({ dst_ns, flow_count }) => [dst_ns, flow_count]));
}

async function adoptions(): Promise<unknown[]> {
  return database.query('select edges::int, flow_count::int from adoption order by adoption_id');
}

describe('from the aggregator to the trail', () => {
  beforeEach(async () => use(await createTestDatabase()));

  test('keeps every row, extends times without counting records again, and counts later records', async () => {
    await aggregator.start();
    await count(0, 3);
    await count(1, 2, 'c');
    await migrate(database);
    await list(0, 1, 2, 3, 4);
    expect(await flowCounts()).toEqual({ b: 3, c: 2 });
    await list(2, 5);
    expect(await flowCounts()).toEqual({ b: 4, c: 2 });
    expect(await verify(database)).toEqual([]);
  });

  test('adopts the aggregator’s counts between the migration and the start of the worker', async () => {
    await aggregator.start();
    await count(0, 3);
    await migrate(database);
    expect(await adoptIfCountedElsewhere(database, nowSeconds)).toBeUndefined();
    await count(1, 2);
    await adoptIfCountedElsewhere(database, nowSeconds);
    await list(1, 1, 2);
    expect(await flowCounts()).toEqual({ b: 5 });
    expect(await verify(database)).toEqual([]);
  });
});

describe('back to the aggregator, and to the trail again', () => {
  beforeEach(async () => {
    use(await createMigratedDatabase());
    await stream(0, 1, 2, 3);
    await list(0, 1, 2, 3, 4);
    await stream(1, 1, 2);
  });

  test('the aggregator works with the table of the trail, counts and creates its digest', async () => {
    const before = await readEdges(database);
    await aggregator.start();
    expect(await readEdges(database)).toEqual(before);
    await count(2, 1, 'c');
    expect(await flowCounts()).toEqual({ b: 6, c: 1 });
    expect(await aggregator.newEdges(bucket(3))).toEqual(['b', 'c']);
  });

  test('verify finds the aggregator’s counts; adopt first shows them without changes, then adopts them', async () => {
    await count(2, 5);
    await count(3, 4, 'c');
    const before = await readEdges(database);
    expect(await verify(database)).toHaveLength(1);
    const run = (...args: string[]) =>
      flowTrailInProcess(['adopt', '--json', ...args], { DATABASE_URL: db.url });
    const { out } = await run();
    const dry = parseAnswer('adopt', out);
    // Two of the seven were only streamed.
    expect(dry).toMatchObject({
      isDryRun: true,
      edges: [
        { dstNs: 'b', flowCount: '7' },
        { dstNs: 'c', flowCount: '4' },
      ],
      streamedOnly: '2',
      lowered: [],
    });
    expect(await verify(database)).toHaveLength(1);
    const applied = await run('--apply');
    expect(applied.code).toBe(0);
    expect(applied.out).toBe(out.replace('"isDryRun": true', '"isDryRun": false'));
    expect(await readEdges(database)).toEqual(before);
    expect(await verify(database)).toEqual([]);
    expect(await adoptions()).toEqual([{ edges: 2, flow_count: 11 }]);
    expect(parseAnswer('adopt', (await run()).out)).not.toHaveProperty('until');
  });

  test('records that the aggregator counted are not counted again while Goldmane still has them', async () => {
    await count(1, 3);
    await count(2, 5);
    await apply();
    await list(1, 1, 2, 3, 4);
    await list(2, 1, 2, 3, 4, 5);
    expect(await flowCounts()).toEqual({ b: 6 + 8 });
    expect(await verify(database)).toEqual([]);
    await list(3, 1, 2);
    expect(await flowCounts()).toEqual({ b: 6 + 8 + 2 });
    expect(await verify(database)).toEqual([]);
  });

  test('further differences are found, even after streamed records have left the ledger', async () => {
    const expire = async (until: number) => {
      await list(until, 1);
      await database.query('update trail_state set decided_until = to_timestamp($1)', [bucket(until)]);
      expect(await expireLedger(database, 3_600)).toBeGreaterThan(0);
    };
    const isOneMoreFound = async () => {
      expect(await verify(database)).toEqual([]);
      await database.query('update edge set flow_count = flow_count + 1');
      const found = await verify(database);
      await database.query('update edge set flow_count = flow_count - 1');
      return found.length > 0;
    };
    await expire(300);
    expect(await isOneMoreFound()).toBe(true);
    await count(301, 5);
    await apply();
    // From the aggregator's time, so it adds no count.
    await stream(301, 7, 8);
    expect(await isOneMoreFound()).toBe(true);
    await expire(700);
    expect(await isOneMoreFound()).toBe(true);
  });

  test('if both run at the same time, no count is lost, and the trail continues exactly', async () => {
    await count(0, 4);
    await count(1, 2);
    expect(await adoptIfCountedElsewhere(database, nowSeconds)).toBeUndefined();
    await apply();
    expect(await verify(database)).toEqual([]);
    await list(1, 1, 2, 3);
    await stream(2, 1);
    await list(2, 1, 2);
    expect(await flowCounts()).toEqual({ b: 6 + 6 + 2 });
    expect(await verify(database)).toEqual([]);
  });

  test('a starting worker adopts, once, the counts added while no worker ran', async () => {
    await list(2);
    expect(await adoptIfCountedElsewhere(database, nowSeconds)).toBeUndefined();
    await count(3, 5);
    expect(await adoptIfCountedElsewhere(database, nowSeconds)).toMatchObject({
      until: new Date(bucket(4) * 1000),
    });
    expect(await adoptIfCountedElsewhere(database, nowSeconds)).toBeUndefined();
    await list(3, 1, 2, 3, 4, 5);
    expect(await flowCounts()).toEqual({ b: 6 + 5 });
  });

  test('several workers that start at the same time adopt once', async () => {
    await count(3, 5);
    await Promise.all(Array.from({ length: 4 }, () => adoptIfCountedElsewhere(database, nowSeconds)));
    expect(await database.query('select flow_count::int from edge_adopted')).toEqual([{ flow_count: 7 }]);
    expect(await verify(database)).toEqual([]);
  });

  test('concurrent merges are counted once', async () => {
    await count(2, 5);
    await Promise.all([stream(3, 1, 2, 3), apply(), list(4, 1), list(1, 1, 2, 3)]);
    expect(await verify(database)).toEqual([]);
    await list(3, 1, 2, 3);
    expect(await verify(database)).toEqual([]);
  });

  test('a last_seen in the future does not stop counting', async () => {
    await count(100_000, 1, 'c');
    expect(await adoptIfCountedElsewhere(database, nowSeconds)).toBeUndefined();
    await apply();
    await list(1_001, 1);
    expect(await flowCounts()).toEqual({ b: 7, c: 1 });
    expect(await verify(database)).toEqual([]);
  });

  test('a last_seen that the aggregator set back does not make streamed buckets count twice', async () => {
    await stream(5, 1, 2);
    await database.query('update edge set last_seen = to_timestamp($1), flow_count = flow_count + 3', [
      bucket(1) + 7,
    ]);
    await apply();
    await list(5, 1, 2, 3);
    expect(await flowCounts()).toEqual({ b: 6 + 2 + 3 });
    expect(await verify(database)).toEqual([]);
  });

  test('an edge whose count was lowered is reported and not changed', async () => {
    await database.query('update edge set flow_count = 1');
    const { code, out } = await flowTrailInProcess(['adopt', '--apply'], { DATABASE_URL: db.url });
    expect(code).toBe(3);
    expect(out).toMatch(/^a +b +allow +3$/m);
    expect(await flowCounts()).toEqual({ b: 1 });
    expect(await adoptions()).toEqual([]);
  });

  test('on a trail without other writers, there is nothing to adopt', async () => {
    expect(await apply()).toMatchObject({ until: undefined, edges: [] });
    expect(await adoptions()).toEqual([]);
  });
});

describe('any sequence of aggregator and trail', () => {
  beforeEach(async () => use(await createMigratedDatabase()));

  const index = fc.integer({ min: 0, max: 12 });
  const step = fc.oneof(
    fc.record({
      what: fc.constant('stream' as const),
      index,
      records: fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
    }),
    fc.record({
      what: fc.constant('list' as const),
      index,
      records: fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
    }),
    fc.record({
      what: fc.constant('aggregate' as const),
      index,
      records: fc.array(fc.constant(0), { maxLength: 4 }),
    }),
    fc.constant({ what: 'adopt' as const, index: 0, records: [] }),
  );

  test('counts each record of the trail at most once, loses no count of the aggregator, and passes verify', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await database.query('truncate edge, edge_adopted, bucket_ledger, flow_group, adoption cascade');
        await database.query('update trail_state set adopted_until = null, streamed_only = 0');
        const counted = new Set<string>();
        let [elsewhere, until] = [0, Number.NEGATIVE_INFINITY];
        for (const { what, index: at, records } of steps) {
          if (what === 'adopt')
            until = Math.max(until, ((await apply()).until?.getTime() ?? -Infinity) / 1000);
          else if (what === 'aggregate') {
            await count(at, records.length);
            elsewhere += records.length;
          } else {
            await (what === 'stream' ? stream : list)(at, ...records);
            if (bucket(at) + 15 > until) for (const record of records) counted.add(`${at} ${record}`);
          }
        }
        expect((await flowCounts())['b'] ?? 0).toBe(counted.size + elsewhere);
        await apply();
        expect(await verify(database)).toEqual([]);
        expect((await flowCounts())['b'] ?? 0).toBe(counted.size + elsewhere);
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
