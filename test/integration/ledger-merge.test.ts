import { describe, expect, test } from 'vitest';
import type { Database } from '../../src/trail/database/database.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { databasePerTest, readUnexplainedEdges } from '../support/database.ts';
import { batch, listed, options, podIn, startSeconds as start, streamed } from './ledger-batches.ts';

const { database } = databasePerTest();

describe('a merge', () => {
  test('of an empty batch changes nothing', async () => {
    expect(await merge(database, [], options)).toMatchObject({ buckets: 0, newEdges: [] });
  });

  test('reports each new edge once, even if two workers merge it concurrently', async () => {
    const batches = [batch(start, [streamed(1, 'b'), streamed(2, 'c')])];
    const summaries = await Promise.all([1, 2, 3, 4].map(() => merge(database, batches, options)));
    const names = summaries.flatMap(({ newEdges }) => newEdges.map(({ dstNs }) => dstNs));
    expect(names.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['b', 'c']);
    expect(await database.query('select flow_count from edge')).toEqual([
      { flow_count: '1' },
      { flow_count: '1' },
    ]);
  });

  test('stores names of the maximum length and with any Unicode characters', async () => {
    const names = [
      'x'.repeat(253),
      '名'.repeat(84),
      '🐈‍⬛',
      "o'brien\\",
      '{a,"b"}',
      'NULL',
      'ǅ',
      '\u202eback',
      ' ',
    ];
    const records = names.map((name, n) =>
      listed(n + 1, {
        dst: { kind: 'workload', ns: name, identity: name },
        digest: BigInt(n + 1),
        text: JSON.stringify({ enforced: [{ n: name }] }),
      }),
    );
    await merge(database, [batch(start, records, { settled: 'settled' })], options);
    await merge(database, [batch(start + 15, records, { settled: 'settled' })], options);
    const rows = await database.query<{ dst_ns: string; flow_count: string }>(
      'select dst_ns, flow_count from edge',
    );
    expect(new Set(rows.map(({ dst_ns }) => dst_ns))).toEqual(new Set(names));
    expect(new Set(rows.map(({ flow_count }) => flow_count))).toEqual(new Set(['2']));
    const traces = await database.query<{ name: string }>(
      `select trace->'enforced'->0->>'n' as name from policy_trace where trace_id <> 0`,
    );
    expect(new Set(traces.map(({ name }) => name))).toEqual(new Set(names));
    expect(await readUnexplainedEdges(database)).toEqual([]);
  });

  test('stores traces with hashes above 2^63, and traces beyond a fact’s cap as one', async () => {
    const records = Array.from({ length: 40 }, (_, n) =>
      listed(n + 1, { digest: (1n << 64n) - BigInt(n + 1), text: JSON.stringify({ n }) }),
    );
    await merge(database, [batch(start, records.slice(0, 20), { settled: 'settled' })], options);
    await merge(database, [batch(start, records, { settled: 'final' })], options);
    const days = await database.query<{ trace_id: string; flow_count: string }>(
      'select trace_id, flow_count from flow_fact_day order by trace_id',
    );
    expect(days).toHaveLength(17);
    expect(days.find(({ trace_id }) => trace_id === '0')?.flow_count).toBe('24');
    expect(await readUnexplainedEdges(database)).toEqual([]);
  });

  test('stores days and hours in UTC, across midnight', async () => {
    const midnight = Math.floor(start / 86_400) * 86_400 + 86_400;
    await merge(database, [batch(midnight - 15, [listed(1)]), batch(midnight, [listed(1)])], options);
    const days = await database.query('select day::text, hours, flow_count from flow_fact_day order by day');
    expect(days).toEqual([
      { day: new Date((midnight - 15) * 1000).toISOString().slice(0, 10), hours: 1 << 23, flow_count: '1' },
      { day: new Date(midnight * 1000).toISOString().slice(0, 10), hours: 1, flow_count: '1' },
    ]);
  });
});

describe('the cost of a merge', () => {
  /** The database, with a record of its statements. */
  function counting(): { counted: Database; statements: string[] } {
    const statements: string[] = [];
    const counted: Database = {
      ...database,
      transaction: (work) =>
        database.transaction((query) =>
          work((sql, values) => {
            statements.push(sql);
            return query(sql, values);
          }),
        ),
    };
    return { counted, statements };
  }

  test.each([
    ['streamed', (n: number) => streamed(n + 1, `ns-${n % 500}`)],
    [
      'listed',
      (n: number) =>
        listed(n + 1, { dst: podIn(`ns-${n % 500}`), digest: BigInt((n % 9) + 1), port: n % 200 }),
    ],
  ] as const)(
    'is the same number of statements for ten thousand %s records in ten buckets as for one',
    async (_what, make) => {
      const one = counting();
      await merge(one.counted, [batch(start, [make(0)], { settled: 'settled' })], options);
      const many = counting();
      const batches = Array.from({ length: 10 }, (_, bucket) =>
        batch(
          start + 15 + bucket * 15,
          Array.from({ length: 1_000 }, (_unused, n) => make(bucket * 1_000 + n + 1)),
          { settled: 'settled' },
        ),
      );
      await merge(many.counted, batches, options);
      expect(many.statements.length).toBe(one.statements.length);
      expect(many.statements.length).toBeLessThanOrEqual(15);
      const again = counting();
      await merge(again.counted, batches, options);
      expect(again.statements.length).toBeLessThanOrEqual(many.statements.length);
    },
  );
});
