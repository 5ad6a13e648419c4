import { beforeEach, describe, expect, test } from 'vitest';
import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import { readCoverage } from '../../src/trail/coverage-ranges/coverage.ts';
import type { ListedBucket } from '../../src/trail/fold/fold-list.ts';
import { StreamFold, streamBatch } from '../../src/trail/fold/fold-stream.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { queryEdges } from '../../src/trail/edges/query-edges.ts';
import { loadServerRun, saveServerRun, ServerRuns } from '../../src/trail/coverage-ranges/server-run.ts';
import { verify } from '../../src/trail/verify.ts';
import { captureByBucket, foldListed } from '../support/captured-buckets.ts';
import { createTestDatabase, databasePerTest, readEdges, readUnexplainedEdges } from '../support/database.ts';
import { createOldSchema, oldSchema } from '../support/old-schema.ts';
import { TrailModel } from '../support/trail-model.ts';
import { batch, listed, options } from './ledger-batches.ts';

const { database } = databasePerTest(createTestDatabase);

beforeEach(async () => {
  await createOldSchema(database);
});

const decoder = new FlowDecoder();
const capture = captureByBucket();
const starts = [...capture.keys()].toSorted((a, b) => a - b).slice(0, 4);

function listAll(): ListedBucket[] {
  return starts.map((start) => foldListed(capture.get(start) ?? [], start));
}

function streamAll() {
  const fold = new StreamFold();
  for (const start of starts)
    for (const raw of capture.get(start) ?? []) fold.add(decoder.decode(raw), start + 30);
  return fold.take().map((bucket) => streamBatch(bucket, true));
}

function settledBatches() {
  return listAll().map(({ startSeconds, records }) => batch(startSeconds, records, { settled: 'final' }));
}

describe('a database of the version before the salt', () => {
  test('keeps each row and the result of each query', async () => {
    const before = await readEdges(database);
    const coverage = await readCoverage(database.query, starts[0] ?? 0, (starts[3] ?? 0) + 15);
    expect(coverage.map(({ state }) => state)).toEqual(['final', 'settled', 'streamed', 'pending']);
    expect(await migrate(database)).not.toEqual([]);
    expect(await readEdges(database)).toEqual(before);
    expect(await queryEdges(database.query, { limit: 1_000 })).toHaveLength(before.length);
    expect(await readCoverage(database.query, starts[0] ?? 0, (starts[3] ?? 0) + 15)).toEqual(coverage);
    expect(await verify(database)).toEqual([]);
  });

  test('counts each earlier record once, regardless of the reader that delivers it later', async () => {
    await migrate(database);
    await merge(database, streamAll(), options);
    for (const settled of settledBatches()) await merge(database, [settled], options);
    await merge(database, streamAll(), options);
    const model = new TrailModel();
    model.merge(settledBatches());
    expect(await readEdges(database)).toEqual(model.edges());
    expect(await readUnexplainedEdges(database)).toEqual([]);
    expect(await verify(database)).toEqual([]);
  });

  test('still recognises the server run, and then stores it with salted hashes', async () => {
    await migrate(database);
    const [first, second] = listAll().map(({ ids }) => ids);
    if (!first || !second) throw new Error('the capture has four buckets');
    const shifted = new Map([...second].map(([content, ids]) => [content, ids.map((id) => id + 1_000_000)]));
    for (let round = 0; round < 2; round += 1) {
      const runs = new ServerRuns();
      await loadServerRun(database.query, runs);
      expect([runs.knows(second), runs.differs(second), runs.differs(shifted)]).toEqual([true, false, true]);
      runs.remember(first);
      runs.remember(second);
      await saveServerRun(database.query, runs);
    }
    expect(await database.query('select salted from goldmane_run')).toEqual([{ salted: true }]);
  });

  test('stores new buckets with the salt', async () => {
    await migrate(database);
    const next = (starts[3] ?? 0) + 15;
    await merge(database, [batch(next, [listed(1)], { settled: 'settled' })], options);
    expect(await database.query('select salted from bucket_ledger order by bucket desc limit 2')).toEqual([
      { salted: true },
      { salted: false },
    ]);
  });
});

describe('a worker of the previous version', () => {
  test('that is still running cannot add to the ledger', async () => {
    await migrate(database);
    for (const statement of [
      'insert into bucket_ledger (bucket) select bucket from bucket_ledger on conflict do nothing',
      `insert into goldmane_run (first_seen, flow_ids) values ('-infinity', '') on conflict do nothing`,
    ])
      await expect(database.query(statement)).rejects.toMatchObject({ sqlState: '23502' });
  });

  test('rejects the schema when it starts, and changes nothing', async () => {
    const applied = await migrate(database);
    await expect(migrate(database, { upTo: oldSchema })).rejects.toMatchObject({
      kind: 'newer_schema',
      what: expect.stringContaining(applied.at(-1) ?? ''),
    });
    expect(await migrate(database)).toEqual([]);
  });
});
