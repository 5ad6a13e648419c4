import { afterEach, describe, expect, test } from 'vitest';
import { loadServerRun, saveServerRun, ServerRuns } from '../../src/trail/coverage-ranges/server-run.ts';
import { databasePerTest, readEdges } from '../support/database.ts';
import type { Flows } from './coverage-fake-goldmane.ts';
import { casesOf, fullTest } from '../support/full.ts';
import { Settling } from './coverage-settling-harness.ts';

const start = 1_800_000_000;
const restarted = /Goldmane restarted/;

/** Twenty recurring connections, and one that is unique to the bucket. */
function busy(bucket: number): Flows {
  return [
    ...Array.from({ length: 20 }, (_, n) => ({ port: n + 1 })),
    { src: { name: `once-${bucket}` }, dst: { namespace: 'c' } },
  ];
}

/** Connections that never recur. */
function quiet(bucket: number): Flows {
  return [{ src: { name: `once-${bucket}` } }];
}

describe('stored information about the server run', () => {
  const db = databasePerTest();

  function runsWith(...ids: number[]): ServerRuns {
    const runs = new ServerRuns();
    runs.remember(new Map(ids.map((id) => [`${id}`, [id]])));
    return runs;
  }

  async function loaded(): Promise<ServerRuns> {
    const runs = new ServerRuns();
    await loadServerRun(db.database.query, runs);
    return runs;
  }

  test('is passed to the next worker', async () => {
    await saveServerRun(db.database.query, runsWith(7));
    const runs = await loaded();
    expect(runs.firstSeenSeconds).toBe(Number.NEGATIVE_INFINITY);
    expect(runs.differs(new Map([['7', [7]]]))).toBe(false);
  });

  test('is about the newest run', async () => {
    const runs = runsWith(1);
    await saveServerRun(db.database.query, runs);
    runs.begin(start);
    runs.remember(new Map([['1', [2]]]));
    await saveServerRun(db.database.query, runs);
    const next = await loaded();
    expect(next.firstSeenSeconds).toBe(start + 15);
    expect(next.differs(new Map([['1', [2]]]))).toBe(false);
    expect(await db.database.query('select from goldmane_run')).toHaveLength(2);
  });

  test('is empty at first, and is not stored for a run that returned no records', async () => {
    await saveServerRun(db.database.query, new ServerRuns());
    expect(await db.database.query('select from goldmane_run')).toEqual([]);
    expect((await loaded()).knows(new Map([['7', [7]]]))).toBe(false);
  });

  test('is not written while it is unchanged', async () => {
    const row = async () =>
      (await db.database.query<{ xmin: string }>('select xmin::text from goldmane_run'))[0]?.xmin;
    await saveServerRun(db.database.query, runsWith(7));
    const before = await row();
    await saveServerRun(db.database.query, runsWith(7));
    expect(await row()).toBe(before);
    await saveServerRun(db.database.query, runsWith(8));
    expect(await row()).not.toBe(before);
  });
});

describe('settling', () => {
  let settling: Settling;
  afterEach(() => settling.db.drop());

  /** Restarts the server in the middle of a window; the worker's connection reconnects silently. */
  async function restartAfter(seconds: number, resentSeconds: number): Promise<number> {
    const at = settling.clock.now() / 1000 + seconds;
    let isDone = false;
    settling.goldmane.onList = () => {
      if (!isDone && settling.goldmane.nowSeconds >= at) {
        isDone = true;
        settling.goldmane.restart(resentSeconds);
      }
      return undefined;
    };
    await settling.run(15);
    expect(isDone).toBe(true);
    return at;
  }

  test('continues with the same run over windows and workers, and after an outage', async () => {
    settling = await Settling.create(start, busy);
    const summaries = await settling.run(60);
    settling.clock.pass(40 * 60);
    summaries.push(...(await settling.run(30)));
    expect(summaries.map(({ serverRestarts }) => serverRestarts)).toEqual(summaries.map(() => 0));
    expect(await settling.gaps()).toEqual([]);
    expect(await settling.db.database.query('select from goldmane_run')).toHaveLength(1);
  });

  test.each(casesOf([0, 300]))(
    'does not settle buckets that began before a server run to which nodes re-sent %i s',
    async (resentSeconds) => {
      settling = await Settling.create(start, busy);
      await settling.run(30);
      const at = await restartAfter(300, resentSeconds);
      await settling.run(30);
      const settled = await settling.coverage(start, settling.clock.now() / 1000 - 450);
      const [before, empty, partial, after, ...others] = settled;
      expect(others).toEqual([]);
      expect([before?.state, empty?.state, partial?.state, after?.state]).toEqual([
        'settled',
        'gap',
        'gap',
        'settled',
      ]);
      expect(empty?.cause).toMatch(/returned no records/);
      expect(empty?.fromSeconds).toBeLessThanOrEqual(at - 360);
      expect(partial?.cause).toMatch(restarted);
      expect(partial?.toSeconds).toBeGreaterThanOrEqual(at);
      expect((partial?.toSeconds ?? 0) - at).toBeLessThanOrEqual(90);
      const [run] = await settling.db.database.query<{ count: number }>(
        'select count(*)::int from goldmane_run',
      );
      expect(run?.count).toBe(2);
    },
  );

  test('merges re-sent records without counting them twice', async () => {
    settling = await Settling.create(start, busy);
    await settling.run(30);
    await restartAfter(300, 300);
    await settling.run(30);
    const once = (await readEdges(settling.db.database)).find(({ dst_ns }) => dst_ns === 'c');
    const coverage = await settling.coverage(0, settling.clock.now() / 1000 - 450);
    const gaps = coverage.filter(({ state }) => state === 'gap');
    const buckets = ((coverage.at(-1)?.toSeconds ?? 0) - (coverage[0]?.fromSeconds ?? 0)) / 15;
    const lost = gaps.reduce((sum, { fromSeconds, toSeconds }) => sum + (toSeconds - fromSeconds) / 15, 0);
    expect(once?.flow_count).toBeLessThan(buckets + 8);
    expect(once?.flow_count).toBeGreaterThan(buckets - lost);
  });

  test('in a cluster without recurring connections, recognises the server run by a bucket that it returned before', async () => {
    settling = await Settling.create(start, quiet);
    const summaries = await settling.run(90);
    expect(summaries.map(({ serverRestarts }) => serverRestarts)).toEqual(summaries.map(() => 0));
    expect(await settling.gaps()).toEqual([]);
  });

  test('in a cluster without recurring connections, detects a restart at the next connection', async () => {
    settling = await Settling.create(start, quiet);
    await settling.run(30);
    const at = settling.clock.now() / 1000;
    settling.goldmane.restart(300);
    const [summary] = await settling.run(15);
    expect(summary?.serverRestarts).toBe(1);
    const gaps = await settling.gaps();
    expect(gaps.at(-1)?.cause).toMatch(restarted);
    expect((gaps.at(-1)?.toSeconds ?? 0) - at).toBeLessThanOrEqual(30);
  });

  fullTest(
    'does not detect a restart from a connection that was idle for an hour and has a new id',
    async () => {
      const isHourly = (bucket: number) => bucket % 3_600 < 15;
      settling = await Settling.create(start, (bucket) =>
        isHourly(bucket) ? [{ port: 9_999 }] : quiet(bucket),
      );
      settling.goldmane.isIdle = ({ port }) => port === 9_999;
      const summaries = await settling.run(130);
      expect(summaries.map(({ serverRestarts }) => serverRestarts)).toEqual(summaries.map(() => 0));
      expect(await settling.gaps()).toEqual([]);
    },
  );

  test('does not detect a restart from a connection with several keys that differ between buckets', async () => {
    const orders = [
      ['p', 'q', 'r'],
      ['p', 'r', 'q'],
      ['q', 'p', 'r'],
      ['q', 'r', 'p'],
      ['r', 'p', 'q'],
      ['r', 'q', 'p'],
    ];
    settling = await Settling.create(start, (bucket) =>
      bucket < start - 1_800 ? [] : [{ policies: orders[(bucket / 15) % 6] ?? [] }],
    );
    const summaries = await settling.run(60);
    expect(summaries.map(({ serverRestarts }) => serverRestarts)).toEqual(summaries.map(() => 0));
    expect(await settling.gaps()).toEqual([]);
  });
});
