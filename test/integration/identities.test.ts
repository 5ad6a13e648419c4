import { describe, expect, test } from 'vitest';
import { readIdentityOverflow, readLimitedNamespaces } from '../../src/trail/merge/identity-overflow.ts';
import { ListedRecords } from '../../src/trail/fold/listed-records.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { removeFacts } from '../../src/trail/facts/remove-facts.ts';
import type { FactEnd, TrailRecord } from '../../src/trail/record.ts';
import { verify } from '../../src/trail/verify.ts';
import { databasePerTest, readEdges } from '../support/database.ts';
import { batch, options, podIn, startSeconds } from './ledger-batches.ts';

const { database } = databasePerTest();

const dayOf = (n: number) => startSeconds + n * 86_400;
const pod = (ns: string, identity: string): FactEnd => ({ ...podIn(ns), identity });

let number = 0;
function flow(src: FactEnd, dst: FactEnd): TrailRecord {
  number += 1;
  return {
    key: { content: String(number) },
    ...(src.kind === 'workload' && dst.kind === 'workload'
      ? { edge: { srcNs: src.ns, dstNs: dst.ns, action: 'allow' } }
      : {}),
    fact: { src, dst, protocol: 'tcp', port: 80, reporter: 'src', action: 'allow' },
    trace: { digest: 7n, text: '{"enforced":[],"pending":[]}' },
  };
}

function settle(day: number, records: TrailRecord[]) {
  return merge(database, [batch(dayOf(day), records, { settled: 'final' })], {
    ...options,
    identityCap: 3,
    nowSeconds: dayOf(day),
  });
}

async function identities(ns: string): Promise<string[]> {
  const rows = await database.query<{ identity: string }>(
    `select distinct src_identity as identity from flow_group where src_ns = $1 order by 1`,
    [ns],
  );
  return rows.map(({ identity }) => identity);
}

const flood = (day: number, prefix: string, count = 10) =>
  settle(
    day,
    Array.from({ length: count }, (_, n) => flow(pod('evil', `${prefix}${n}`), podIn('vault'))),
  );

describe('identities beyond the limit of their namespace', () => {
  test('are not stored; every record still counts, and other namespaces keep theirs', async () => {
    const summary = await settle(0, [
      ...Array.from({ length: 10 }, (_, n) => flow(pod('evil', `id-${n}`), pod('vault', 'server'))),
      flow(pod('shop', 'cart'), pod('vault', 'server')),
      flow(pod('shop', 'cart'), pod('evil', 'id-3')),
    ]);
    expect(summary).toMatchObject({ newEdges: expect.any(Array), newFactRecords: 12 });
    expect(summary.limitedNamespaces).toEqual(['evil']);
    expect(summary.limitedFacts).toBeGreaterThanOrEqual(7);
    expect(await identities('evil')).toHaveLength(4);
    expect(await identities('evil')).toContain('');
    expect(await identities('shop')).toEqual(['cart']);
    expect(
      (await readEdges(database)).map(({ src_ns, dst_ns, flow_count }) => [src_ns, dst_ns, flow_count]),
    ).toEqual([
      ['evil', 'vault', 10],
      ['shop', 'evil', 1],
      ['shop', 'vault', 1],
    ]);
    expect(await verify(database)).toEqual([]);
    expect(
      await readIdentityOverflow(database.query, { sinceSeconds: dayOf(0) - 1, limit: 20 }),
    ).toMatchObject({ total: 1, namespaces: [{ namespace: 'evil' }] });
    const day = Math.floor(dayOf(0) / 86_400);
    const limitedIn = (fromDay: number, toDay: number) =>
      readLimitedNamespaces(database.query, { fromDay, toDay });
    expect(await limitedIn(day, day + 1)).toEqual(new Set(['evil']));
    expect(await limitedIn(day + 1, day + 2)).toEqual(new Set());
    expect(await limitedIn(day - 1, day)).toEqual(new Set());
  });

  test('merging the same records again changes nothing', async () => {
    const records = Array.from({ length: 10 }, (_, n) => flow(pod('evil', `id-${n}`), podIn('vault')));
    await settle(0, records);
    const facts = () => database.query('select * from flow_facts order by fact_id');
    const before = await facts();
    await settle(0, records);
    expect(await facts()).toEqual(before);
  });

  test('of two concurrent workers exceed it no more than those of one worker', async () => {
    await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        merge(
          database,
          [
            batch(
              startSeconds + 15 * n,
              Array.from({ length: 5 }, (_unused, at) => flow(pod('evil', `${n}-${at}`), podIn('vault'))),
              { settled: 'final' },
            ),
          ],
          { ...options, identityCap: 3 },
        ),
      ),
    );
    expect(await identities('evil')).toHaveLength(4);
    expect(await verify(database)).toEqual([]);
  });

  test('do not displace identities in use, and are stored a month later', async () => {
    await settle(0, [flow(pod('evil', 'web'), podIn('vault'))]);
    await flood(1, 'a');
    expect(await identities('evil')).toHaveLength(4);
    expect(await identities('evil')).toContain('web');
    await settle(20, [flow(pod('evil', 'web'), podIn('vault'))]);
    await flood(29, 'b');
    expect((await identities('evil')).filter((name) => name.startsWith('b'))).toEqual([]);
    await flood(32, 'c');
    // Only web was seen within thirty days.
    expect((await identities('evil')).filter((name) => name.startsWith('c'))).toHaveLength(2);
    await settle(33, [flow(pod('evil', 'web'), podIn('vault'))]);
    expect(await verify(database)).toEqual([]);
  });

  test('of network sets are limited too, as unnamed ends, except global ones', async () => {
    const set = (ns: string, identity: string): FactEnd => ({ kind: 'networkset', ns, identity });
    await settle(
      0,
      Array.from({ length: 10 }, (_, n) => [
        flow(podIn('evil'), set('evil', `set-${n}`)),
        flow(podIn('evil'), set('', `global-${n}`)),
      ]).flat(),
    );
    const rows = await database.query<{ kind: string; ns: string; groups: number }>(
      'select dst_kind as kind, dst_ns as ns, count(*)::int as groups from flow_group group by 1, 2 order by 1, 2',
    );
    expect(rows).toEqual([
      { kind: 'networkset', ns: '', groups: 10 },
      { kind: 'networkset', ns: 'evil', groups: 3 },
      { kind: 'unspecified', ns: 'evil', groups: 1 },
    ]);
  });

  test('removed from one large bucket are reported, with the time of that bucket', async () => {
    const added = [
      ...Array.from({ length: 500 }, (_, n) => flow(pod('evil', `id-${n}`), pod('vault', 'server'))),
      flow(pod('shop', 'cart'), pod('vault', 'server')),
    ];
    const listed = () => {
      const records = new ListedRecords(added.length, { groups: 100, traceBytes: 1_000_000 });
      for (const { key, edge, fact, trace } of added)
        if (fact && trace) records.add(key.content, edge, fact, trace);
      return records;
    };
    const afterMidnight = dayOf(1);
    const mergeIt = (nowSeconds: number) =>
      merge(database, [batch(dayOf(0), listed(), { settled: 'final' })], { ...options, nowSeconds });
    const summary = await mergeIt(afterMidnight);
    expect(summary).toMatchObject({ coarseNamespaces: ['evil'], limitedNamespaces: [] });
    const day = Math.floor(dayOf(0) / 86_400);
    const limitedIn = (fromDay: number) =>
      readLimitedNamespaces(database.query, { fromDay, toDay: fromDay + 1 });
    expect(await limitedIn(day)).toEqual(new Set(['evil']));
    expect(await limitedIn(day + 1)).toEqual(new Set(['evil']));
    await mergeIt(dayOf(2));
    expect(await limitedIn(day + 2)).toEqual(new Set());
    const vault = await database.query<{ dst_identity: string }>(
      `select distinct dst_identity from flow_group where dst_ns = 'vault'`,
    );
    expect(vault).toEqual([{ dst_identity: 'server' }]);
    expect(await verify(database)).toEqual([]);
  });

  test('are stored once facts of other identities are removed', async () => {
    await flood(0, 'a');
    await removeFacts(
      database,
      { srcNs: 'evil', dstNs: 'vault', beforeDay: Math.floor(dayOf(1) / 86_400) },
      { isDryRun: false },
    );
    await flood(1, 'b');
    const facts = await database.query<{ identity: string }>(
      `select distinct src_identity as identity from flow_facts where src_identity <> '' order by 1`,
    );
    expect(facts.map(({ identity }) => identity[0])).toEqual(['b', 'b', 'b']);
  });
});
