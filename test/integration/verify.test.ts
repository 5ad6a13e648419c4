import { describe, expect, test } from 'vitest';
import { applyRetention } from '../../src/activities/housekeeping.ts';
import { expireLedger } from '../../src/trail/merge/ledger.ts';
import { readEdgeActivity } from '../../src/trail/edges/edge-activity.ts';
import { readEvidenceAndTraces } from '../../src/trail/facts/evidence.ts';
import { readFactHistory } from '../../src/trail/facts/fact-history.ts';
import { foldRarePorts } from '../../src/trail/facts/fold-rare-ports.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { queryFacts } from '../../src/trail/facts/query-facts.ts';
import { removeFacts } from '../../src/trail/facts/remove-facts.ts';
import { rollFactDays } from '../../src/trail/facts/roll-fact-days.ts';
import { verify } from '../../src/trail/verify.ts';
import { parseAnswer } from '../support/answer.ts';
import { flowTrail } from '../support/cli.ts';
import { databasePerTest, readEdges } from '../support/database.ts';
import { testDeps } from './deps.ts';
import { batch, listed, options, podIn, streamed } from './ledger-batches.ts';
import {
  at,
  storeSettled,
  monday,
  mergeRecords,
  mergeDaily,
  fixedClock,
  recordBetween,
} from './watched-days.ts';

const db = databasePerTest();
const { database } = db;
const mondayDay = monday / 86_400;

function ports(): Promise<number[]> {
  return database
    .query<{ port: number }>('select port from flow_fact order by 1')
    .then((rows) => rows.map(({ port }) => port));
}

const onPort = (day: number, ...list: number[]) =>
  merge(
    database,
    [
      batch(
        at(day),
        list.map((port) => listed(port, { port })),
        { settled: 'final' },
      ),
    ],
    { ...options, portCap: 3 },
  );

describe('verify', () => {
  test('finds nothing in a trail with streamed, settled and expired records and coverage', async () => {
    await merge(database, [batch(at(0), [streamed(1), streamed(2)])], options);
    await merge(database, [batch(at(0), [listed(1)], { settled: 'settled' })], options);
    expect(await verify(database)).toEqual([]);
    await mergeDaily(database, 1, 3);
    await database.query('update trail_state set decided_until = to_timestamp($1)', [at(2)]);
    expect(await expireLedger(database, 3_600)).toBeGreaterThan(0);
    await storeSettled(database, 3);
    expect(await verify(database)).toEqual([]);
  });

  test.each([
    ['an edge whose count is too low', `update edge set flow_count = flow_count - 1`],
    ['an edge whose count is too high', `update edge set flow_count = flow_count + 1`],
    ['a missing edge', `delete from edge`],
    ['an edge that ends before its facts', `update edge set last_seen = first_seen`],
    ['a hole in coverage', `update coverage set to_time = to_time - interval '15 s'`],
    [
      'a fact without a day',
      `insert into flow_fact (group_id, port) select group_id, 9999 from flow_group limit 1`,
    ],
    ['an announcement without an edge', `insert into announced_edge values ('x', 'y', 'allow', null, now())`],
    [
      'a posted message whose edge is not announced',
      `with d as (insert into digest values ('d', now(), '{}', now(), 'posted', now()) returning digest_id)
       insert into digest_message select digest_id, 1, '{}', '[["a", "b", "allow"]]', now() from d`,
    ],
    [
      'a record in both hash columns of the ledger',
      `insert into bucket_ledger (bucket, streamed, settled, salted)
       values (now(), '\\x0000000000000001', '\\x0000000000000001', true)`,
    ],
  ])('finds %s, and the command exits with 3', async (_what, damage) => {
    await mergeDaily(database, 0, 3);
    await storeSettled(database, 3);
    expect(await verify(database)).toEqual([]);
    await database.query(damage);
    expect(await verify(database)).not.toEqual([]);
    const { code, out } = await flowTrail(['verify', '--json'], { DATABASE_URL: db.url });
    expect(parseAnswer('verify', out)).not.toEqual([]);
    expect(code).toBe(3);
  });

  test('runs weekly in housekeeping, and fails the run if something differs', async () => {
    await mergeDaily(database, 0, 3);
    await storeSettled(database, 3);
    expect(await applyRetention(testDeps(database, fixedClock(3)))).toMatchObject({
      verified: 'all tables agree',
    });
    await database.query('update edge set flow_count = 1');
    expect(await applyRetention(testDeps(database, fixedClock(9)))).toMatchObject({ verified: 'not due' });
    await expect(applyRetention(testDeps(database, fixedClock(10)))).rejects.toMatchObject({
      type: 'trail_differs',
      nonRetryable: true,
    });
  });
});

describe('the cap of ports', () => {
  test('counts ports of recent days: ports of a scan no longer count after two days', async () => {
    await onPort(0, 1, 2, 3, 4, 5);
    expect(await ports()).toEqual([-1, 1, 2, 3]);
    await onPort(1, 5432);
    expect(await ports()).toEqual([-1, 1, 2, 3]);
    await onPort(2, 5432);
    expect(await ports()).toEqual([-1, 1, 2, 3, 5432]);
    expect(await verify(database)).toEqual([]);
  });

  test('keeps recurring ports: those seen on the fewest days are folded into "many"', async () => {
    await onPort(0, 1, 2, 3);
    await onPort(2, 80, 443);
    for (const day of [3, 4, 20]) await onPort(day, 80, 443);
    const before = await readEdges(database);
    expect(await foldRarePorts(database, 3, at(20))).toBe(2);
    expect(await ports()).toEqual([-1, 3, 80, 443]);
    expect(await foldRarePorts(database, 3, at(20))).toBe(0);
    expect(await verify(database)).toEqual([]);
    expect(await readEdges(database)).toEqual(before);
  });
});

describe('flow-trail forget', () => {
  const forget = (...args: string[]) =>
    flowTrail(['forget', '--src', 'a', '--dst', 'b', '--before', '2026-11-03', '--json', ...args], {
      DATABASE_URL: db.url,
    });

  test('counts without --apply; with it, deletes earlier days and records that, but keeps the edge', async () => {
    await onPort(0, 1, 2, 3, 4);
    await onPort(3, 2);
    const before = await readEdges(database);
    expect(JSON.parse((await forget()).out)).toMatchObject({ isDryRun: true, facts: 3, factDays: 4 });
    expect(await ports()).toEqual([-1, 1, 2, 3]);
    expect(JSON.parse((await forget('--apply')).out)).toMatchObject({
      isDryRun: false,
      facts: 3,
      factDays: 4,
    });
    expect(await ports()).toEqual([2]);
    expect(await readEdges(database)).toEqual(before);
    expect(await verify(database)).toEqual([]);
    expect(await database.query('select src_ns, dst_ns, facts::int from removal')).toEqual([
      { src_ns: 'a', dst_ns: 'b', facts: 3 },
    ]);
  });

  test('during a merge leaves consistent tables', async () => {
    await onPort(0, 1);
    await Promise.all([
      ...Array.from({ length: 8 }, (_, n) => onPort(5 + n / 5_760, 1)),
      removeFacts(database, { srcNs: 'a', dstNs: 'b', beforeDay: mondayDay + 3 }, { isDryRun: false }),
    ]);
    expect(await verify(database)).toEqual([]);
  });
});

describe('old days of facts', () => {
  test('are rolled up by month without a change of first and last seen, count, days and hours', async () => {
    await mergeDaily(database, 0, 100);
    await storeSettled(database, 100);
    const { query } = database;
    const period = { fromDay: mondayDay - 1, toDay: mondayDay + 200 };
    const daysOf = async (filter: Parameters<typeof readEvidenceAndTraces>[1]) =>
      (await readEvidenceAndTraces(query, filter)).facts.map(({ days }) => days);
    const answers = async () => ({
      evidence: await readEvidenceAndTraces(query, period),
      ofNamespace: await readEvidenceAndTraces(query, { ...period, namespaces: ['a'] }),
      // A rolled-up month has one count, one first and one last time.
      daysAcrossMonths: await daysOf({ fromDay: mondayDay + 20, toDay: mondayDay + 90 }),
      daysWithinMonth: await daysOf({ fromDay: mondayDay + 30, toDay: mondayDay + 33, dstNs: 'b' }),
      facts: await query('select * from flow_facts'),
      shown: await queryFacts(query, { ns: 'b', external: false, limit: 10 }),
      none: await queryFacts(query, { src: 'b', external: false, limit: 10 }),
      history: await readFactHistory(query, 'a', at(80), at(81)),
      activity: await readEdgeActivity(query, {
        from: new Date(at(40) * 1000),
        to: new Date(at(95) * 1000),
        days: 7,
      }),
    });
    const before = await answers();
    expect(before.shown).toHaveLength(1);
    const december = Date.parse('2027-01-05T00:00:00Z') / 1000;
    expect(await rollFactDays(database.query, december)).toBe(29 + 31);
    expect(await database.query('select month::text, days, hours from flow_fact_month order by 1')).toEqual([
      { month: '2026-11-01', days: 0x3f_ff_ff_fe, hours: 1 << 12 },
      { month: '2026-12-01', days: 0x7f_ff_ff_ff, hours: 1 << 12 },
    ]);
    expect(await answers()).toEqual(before);
    expect(await rollFactDays(database.query, december)).toBe(0);
    expect(await verify(database)).toEqual([]);
  });

  test('that a merge may still change are not rolled up', async () => {
    await mergeRecords(database, 0, recordBetween(podIn('a'), podIn('b')));
    expect(await rollFactDays(database.query, at(1_000))).toBe(0);
  });
});
