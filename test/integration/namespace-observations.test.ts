import { describe, expect, test } from 'vitest';
import { readObservations, rollNamespaceDays } from '../../src/trail/facts/namespace-observations.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { databasePerTest } from '../support/database.ts';
import { batch, options, podIn, streamed } from './ledger-batches.ts';
import { at, storeSettled, monday, mergeRecords, mergeDaily, recordBetween } from './watched-days.ts';

const { database } = databasePerTest();

const read = () => readObservations(database.query);
const today = monday / 86_400;

describe('observations', () => {
  test('are empty before the trail begins', async () => {
    expect(await read()).toEqual([]);
  });

  test('contain, per namespace, the days on which it was seen and the hours in which it was a source', async () => {
    await mergeRecords(
      database,
      0.25,
      recordBetween(podIn('a'), podIn('b')),
      recordBetween(podIn('a'), podIn('a')),
    );
    await mergeRecords(
      database,
      0.75,
      recordBetween(podIn('a'), podIn('b')),
      recordBetween(podIn('b'), podIn('c')),
    );
    await mergeRecords(database, 2, recordBetween(podIn('b'), { kind: 'network', ns: '', identity: 'pub' }));
    expect(await read()).toEqual([
      {
        namespace: 'a',
        days: [
          {
            day: today,
            firstSeconds: at(0.25),
            lastSeconds: at(0.75) + 15,
            egressHours: (1 << 6) | (1 << 18),
          },
        ],
        egressEdges: 1,
        newestEgressEdgeSeconds: at(0.25),
        edgesFirstSeconds: at(0.25),
        edgesLastSeconds: at(0.75) + 15,
      },
      {
        namespace: 'b',
        days: [
          { day: today, firstSeconds: at(0.25), lastSeconds: at(0.75) + 15, egressHours: 1 << 18 },
          { day: today + 2, firstSeconds: at(2), lastSeconds: at(2) + 15, egressHours: 1 },
        ],
        egressEdges: 1,
        newestEgressEdgeSeconds: at(0.75),
        edgesFirstSeconds: at(0.25),
        edgesLastSeconds: at(0.75) + 15,
      },
      {
        namespace: 'c',
        days: [{ day: today, firstSeconds: at(0.75), lastSeconds: at(0.75) + 15, egressHours: 0 }],
        egressEdges: 0,
        newestEgressEdgeSeconds: undefined,
        edgesFirstSeconds: at(0.75),
        edgesLastSeconds: at(0.75) + 15,
      },
    ]);
  });

  test('include a namespace with only streamed records, without days', async () => {
    await merge(database, [batch(at(1), [streamed(1)])], options);
    expect((await read()).map(({ namespace, days, egressEdges }) => [namespace, days, egressEdges])).toEqual([
      ['a', [], 1],
      ['b', [], 0],
    ]);
  });
});

describe('the roll-up', () => {
  test('does not change the results of queries, over more days than one statement processes', async () => {
    await mergeDaily(database, 0, 70);
    await mergeDaily(database, 20, 60, 'c', 'a');
    const before = await read();
    await storeSettled(database, 65.5);
    expect(await rollNamespaceDays(database.query)).toBeGreaterThan(0);
    expect(await database.query('select max(day)::text from namespace_day')).toEqual([{ max: '2027-01-05' }]);
    expect(await read()).toEqual(before);
    expect(await rollNamespaceDays(database.query)).toBe(0);
  });

  test('skips days that can still change, and rolls them up later', async () => {
    await mergeDaily(database, 0, 3);
    expect(await rollNamespaceDays(database.query)).toBe(0);
    await storeSettled(database, 1.9);
    expect(await rollNamespaceDays(database.query)).toBe(2);
    await mergeRecords(database, 2.9, recordBetween(podIn('a'), podIn('z')));
    const before = await read();
    expect(before.map(({ namespace }) => namespace)).toEqual(['a', 'b', 'z']);
    await storeSettled(database, 3);
    expect(await rollNamespaceDays(database.query)).toBe(5);
    expect(await read()).toEqual(before);
  });

  test('skips days without flows', async () => {
    await mergeDaily(database, 0, 1);
    await mergeDaily(database, 50, 51);
    await storeSettled(database, 60);
    expect(await rollNamespaceDays(database.query)).toBe(4);
  });

  test('gives the same result with several concurrent workers', async () => {
    await mergeDaily(database, 0, 40);
    const before = await read();
    await storeSettled(database, 40);
    const added = await Promise.all([1, 2, 3].map(() => rollNamespaceDays(database.query)));
    expect(added.reduce((sum, count) => sum + count, 0)).toBe(80);
    expect(await read()).toEqual(before);
  });
});
