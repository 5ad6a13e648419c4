import { beforeEach, describe, expect, test } from 'vitest';
import { StreamWriter } from '../../src/ingest/stream-writer.ts';
import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import { readLedger } from '../../src/trail/merge/ledger.ts';
import { databaseFailure } from '../../src/trail/database/database-failure.ts';
import type { Database } from '../../src/trail/database/database.ts';
import { StreamFold } from '../../src/trail/fold/fold-stream.ts';
import { databasePerTest, readEdges } from '../support/database.ts';
import { encodeFlow, type TestFlow } from '../unit/trail/flow-messages.ts';
import { VirtualClock } from './coverage-fake-goldmane.ts';
import { testDeps } from './deps.ts';

const start = 1_800_000_000;
const db = databasePerTest();
let clock: VirtualClock;
let decoder: FlowDecoder;
let writer: StreamWriter;
let merges: number;
/** Runs instead of the next transactions. */
let fault: (() => Promise<void>) | undefined;

beforeEach(async () => {
  clock = new VirtualClock(start + 30);
  decoder = new FlowDecoder();
  merges = 0;
  fault = undefined;
  const database: Database = {
    ...db.database,
    async transaction(work) {
      await fault?.();
      return db.database.transaction(work);
    },
  };
  writer = newWriter(database);
});

function newWriter(database: Database, limit = 100): StreamWriter {
  return new StreamWriter(testDeps(database, clock), new StreamFold({ limit }), () => {
    merges += 1;
  });
}

function add(flow: Partial<TestFlow> = {}) {
  const raw = encodeFlow({ startSeconds: start, ...flow });
  return writer.add(decoder.decode(raw), clock.now() / 1000);
}

function away(): Promise<void> {
  return Promise.reject(databaseFailure('lost', 'the connection to Postgres was lost'));
}

async function rows(): Promise<string[]> {
  return (await readEdges(db.database)).map(
    ({ src_ns, dst_ns, flow_count }) => `${src_ns} ${dst_ns} ${flow_count}`,
  );
}

describe('a streamed record', () => {
  test('is written immediately if it is a new edge, otherwise after 50 s', async () => {
    add();
    await writer.flush();
    expect(await rows()).toEqual(['a b 1']);
    add({ port: 81 });
    await writer.flush();
    clock.pass(49);
    await writer.flush();
    expect(merges).toBe(1);
    clock.pass(1);
    await writer.flush();
    expect(await rows()).toEqual(['a b 2']);
  });

  test('is written immediately on flush', async () => {
    add();
    await writer.flush();
    add({ port: 81 });
    await writer.flush(true);
    expect(await rows()).toEqual(['a b 2']);
  });

  test('of a known edge is not a new edge to a later window', async () => {
    add();
    await writer.flush();
    writer = newWriter(db.database);
    add({ port: 81 });
    await writer.flush();
    expect(merges).toBe(1);
  });

  test('without content writes nothing', async () => {
    fault = away;
    await writer.flush(true);
    expect(writer.trouble).toBeUndefined();
  });
});

describe('a completely streamed bucket', () => {
  const state = async () => (await readLedger(db.database.query, start)).map(({ state }) => state);

  test('is marked as such, with or without records', async () => {
    add();
    writer.markWhole([start, start + 15]);
    await writer.flush();
    expect(await state()).toEqual(['streamed', 'streamed']);
  });

  test('is marked later if the database is unavailable', async () => {
    add();
    writer.markWhole([start, start + 15]);
    fault = away;
    await writer.flush();
    expect(await state()).toEqual([]);
    fault = undefined;
    clock.pass(60);
    await writer.flush();
    expect(await state()).toEqual(['streamed', 'streamed']);
    expect(await rows()).toEqual(['a b 1']);
  });

  test('is not marked if some of its records were dropped', async () => {
    writer = newWriter(db.database, 1);
    add();
    expect(add({ port: 81 })).toBe('dropped');
    writer.markWhole([start, start + 15]);
    await writer.flush();
    expect(await state()).toEqual(['pending', 'streamed']);
  });
});

describe('while the database is unavailable', () => {
  test('records wait, each once, and are written after recovery', async () => {
    fault = away;
    add();
    await writer.flush();
    expect(writer.trouble?.kind).toBe('lost');
    add();
    add({ startSeconds: start + 15 });
    clock.pass(60);
    await writer.flush();
    expect(writer.fold.pending).toBe(2);
    fault = undefined;
    clock.pass(60);
    await writer.flush();
    expect(writer.trouble).toBeUndefined();
    expect(await rows()).toEqual(['a b 2']);
  });

  test('writes are retried after 2 s, with backoff up to 15 s', async () => {
    const tries: number[] = [];
    fault = () => {
      tries.push(clock.now() / 1000);
      return away();
    };
    add();
    for (let second = 0; second < 90; second += 1) {
      await writer.flush();
      clock.pass(1);
    }
    const waits = tries.slice(1).map((time, index) => time - (tries[index] ?? 0));
    expect(waits.slice(0, 5)).toEqual([2, 4, 8, 15, 15]);
  });

  test('records merged before are not merged again', async () => {
    for (let bucket = 0; bucket < 20; bucket += 1) add({ startSeconds: start + bucket * 15 });
    let transactions = 0;
    fault = () => {
      transactions += 1;
      return transactions === 2 ? away() : Promise.resolve();
    };
    await writer.flush(true);
    expect(await rows()).toEqual(['a b 16']);
    expect(writer.fold.pending).toBe(4);
    await writer.flush(true);
    expect(await rows()).toEqual(['a b 20']);
  });

  test('a commit whose reply is lost counts once', async () => {
    const database: Database = {
      ...db.database,
      async transaction(work) {
        const result = await db.database.transaction(work);
        await fault?.();
        return result;
      },
    };
    writer = newWriter(database);
    fault = away;
    add();
    await writer.flush(true);
    expect(writer.fold.pending).toBe(1);
    fault = undefined;
    await writer.flush(true);
    expect(writer.fold.pending).toBe(0);
    expect(await rows()).toEqual(['a b 1']);
  });

  test('a programming error is not treated as a database failure', async () => {
    fault = () => Promise.reject(new RangeError('of our own'));
    add();
    await expect(writer.flush(true)).rejects.toThrow('of our own');
  });
});

test('outcomes of records are counted and reported once', () => {
  add();
  add();
  add({ hasTraffic: false });
  writer.count('malformed');
  expect(Object.fromEntries(writer.takeCounts())).toEqual({
    pending: 1,
    repeated: 1,
    no_traffic: 1,
    malformed: 1,
  });
  expect(writer.takeCounts().size).toBe(0);
});
