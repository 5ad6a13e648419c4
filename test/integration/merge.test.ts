import { describe, expect, test } from 'vitest';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import type { BucketBatch } from '../../src/trail/record.ts';
import { readCapture, readCaptureEdges } from '../support/capture.ts';
import { captureByBucket, foldListed, foldStreamed } from '../support/captured-buckets.ts';
import { createTestDatabase, databasePerTest, readEdges, readUnexplainedEdges } from '../support/database.ts';

const options = { portCap: 64, nowSeconds: 1_795_317_100 };
const capture = readCapture();
const db = databasePerTest(createTestDatabase);

function streamed(): BucketBatch[] {
  return foldStreamed(capture, options.nowSeconds);
}

function listed(): BucketBatch[] {
  return [...captureByBucket()].map(([startSeconds, records]) => ({
    startSeconds,
    records: foldListed(records, startSeconds).records,
    settled: 'settled',
  }));
}

describe('merging into Postgres', () => {
  test('the capture, streamed and settled twice by two concurrent readers, produces exactly the expected rows', async () => {
    await migrate(db.database);
    await Promise.all([merge(db.database, streamed(), options), merge(db.database, streamed(), options)]);
    expect(await readEdges(db.database)).toEqual(readCaptureEdges());
    const batches = listed();
    await Promise.all([
      merge(db.database, batches.slice(0, 16), options),
      merge(db.database, batches.slice(8), options),
      merge(db.database, batches.slice(4, 12).toReversed(), options),
    ]);
    expect(await readEdges(db.database)).toEqual(readCaptureEdges());
    expect(await readUnexplainedEdges(db.database)).toEqual([]);
    const again = await merge(db.database, batches, options);
    expect(again).toMatchObject({ newEdges: [], newFacts: 0, newEdgeRecords: 0, newFactRecords: 0 });
    expect(await readUnexplainedEdges(db.database)).toEqual([]);
  });

  test('an adopted table loses nothing: times are merged, and records of its period are not counted again', async () => {
    const expected = readCaptureEdges();
    await db.database.query(
      `create table edge (src_ns text, dst_ns text, action text, first_seen timestamptz, last_seen timestamptz,
         flow_count bigint, primary key (src_ns, dst_ns, action))`,
    );
    await db.database.query(
      `insert into edge values ('gone', 'away', 'allow', to_timestamp(1795000000), to_timestamp(1795000100), 7),
         ($1, $2, $3, to_timestamp(1795000000), to_timestamp(1795316900), 5)`,
      [expected[0]?.src_ns, expected[0]?.dst_ns, expected[0]?.action],
    );
    await migrate(db.database);
    await merge(db.database, listed(), options);
    const rows = await readEdges(db.database);
    expect(rows).toHaveLength(expected.length + 1);
    expect(rows.find(({ src_ns }) => src_ns === 'gone')).toMatchObject({
      flow_count: 7,
      last_seen: 1_795_000_100,
    });
    const adopted = rows.find(
      ({ src_ns, dst_ns, action }) =>
        src_ns === expected[0]?.src_ns && dst_ns === expected[0].dst_ns && action === expected[0].action,
    );
    expect(adopted).toMatchObject({ first_seen: 1_795_000_000, last_seen: expected[0]?.last_seen });
    expect(adopted?.flow_count).toBeGreaterThan(5);
    expect(adopted?.flow_count).toBeLessThan(5 + (expected[0]?.flow_count ?? 0));
    expect(await readUnexplainedEdges(db.database)).toEqual([]);
  });

  test('two concurrently started workers migrate once', async () => {
    const applied = await Promise.all([migrate(db.database), migrate(db.database), migrate(db.database)]);
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  });

  test('ports beyond the cap are stored as "many", and a denied scan does not affect allowed ports', async () => {
    await migrate(db.database);
    const end = (ns: string) => ({ kind: 'workload' as const, ns, identity: '' });
    const record = (n: number, port: number, action: 'allow' | 'deny') => ({
      key: { content: `${n}` },
      edge: { srcNs: 'a', dstNs: 'b', action },
      fact: { src: end('a'), dst: end('b'), protocol: 'tcp', port, reporter: 'src' as const, action },
    });
    const scan = Array.from({ length: 200 }, (_, port) => record(1_000 + port, 1 + port, 'deny'));
    const allowed = [record(1, 5432, 'allow'), record(2, 6379, 'allow')];
    await merge(db.database, [{ startSeconds: 1_800_000_000, records: [...scan, ...allowed] }], {
      ...options,
      portCap: 8,
    });
    await merge(db.database, [{ startSeconds: 1_800_000_015, records: scan }], { ...options, portCap: 8 });
    const facts = await db.database.query<{ action: string; port: number; flow_count: string }>(
      'select action, port, flow_count from flow_facts order by action, port',
    );
    expect(facts.filter(({ action }) => action === 'allow')).toEqual([
      { action: 'allow', port: 5432, flow_count: '1' },
      { action: 'allow', port: 6379, flow_count: '1' },
    ]);
    const denied = facts.filter(({ action }) => action === 'deny');
    expect(denied.map(({ port }) => port)).toEqual([-1, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(denied[0]?.flow_count).toBe('384');
    expect(await readUnexplainedEdges(db.database)).toEqual([]);
  });
});
