import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ListedRecords } from '../../../src/trail/fold/listed-records.ts';
import { factGroupText, type FactEnd, type FactKey } from '../../../src/trail/record.ts';

const unlimited = { groups: Number.POSITIVE_INFINITY, traceBytes: Number.POSITIVE_INFINITY };

function workload(ns: string, identity = ''): FactEnd {
  return { kind: 'workload', ns, identity };
}

function fact(src: FactEnd, dst: FactEnd, more: Partial<FactKey> = {}): FactKey {
  return { src, dst, protocol: 'tcp', port: 443, reporter: 'src', action: 'allow', ...more };
}

const trace = (name: number | string) => ({
  digest: BigInt(typeof name === 'number' ? name + 1 : 0),
  text: `{"n":"${name}"}`.padEnd(40),
});

function add(records: ListedRecords, key: FactKey, policies = trace(0)): void {
  const edge = { srcNs: key.src.ns, dstNs: key.dst.ns, action: key.action };
  records.add(`${factGroupText(key)}\n${key.port}`, edge, key, policies);
}

/** Flows of a quiet namespace, some with an identity, each under one of two traces. */
const quiet = [
  fact(workload('shop', 'cart'), workload('bank', 'ledger')),
  fact(workload('shop', 'cart'), workload('vault'), { port: 8_200 }),
  fact(workload('bank'), workload('vault'), { port: 8_200, reporter: 'dst' }),
  fact({ kind: 'network', ns: '', identity: 'pub' }, workload('shop', 'front')),
  fact(workload('shop'), { kind: 'networkset', ns: 'shop', identity: 'partners' }),
];
const quietTrace = trace('quiet');

function expectQuietUnchanged(records: ListedRecords): void {
  const texts = new Set(
    [...records].flatMap(({ fact: one, trace: policies }) =>
      one && policies === quietTrace ? [`${factGroupText(one)} ${one.port}`] : [],
    ),
  );
  for (const key of quiet) expect(texts).toContain(`${factGroupText(key)} ${key.port}`);
}

/** Every record keeps its edge; a fact only loses identities. */
function expectEdgesAndNamespaces(records: ListedRecords, added: readonly FactKey[]): void {
  const visited = [...records];
  expect(visited).toHaveLength(added.length);
  for (const [at, { edge, fact: one }] of visited.entries()) {
    const { src, dst } = added[at] ?? fact(workload(''), workload(''));
    expect(edge).toMatchObject({ srcNs: src.ns, dstNs: dst.ns });
    if (one) expect([one.src.ns, one.dst.ns]).toEqual([src.ns, dst.ns]);
  }
}

describe('distinct facts beyond the limit', () => {
  const limit = 2_000;
  const mixed = (flood: readonly FactKey[]) => {
    const added = [...quiet.slice(0, 2), ...flood, ...quiet.slice(2)];
    const records = new ListedRecords(added.length, { ...unlimited, groups: limit });
    for (const key of added) add(records, key, quiet.includes(key) ? quietTrace : trace(0));
    return { records, added };
  };
  const many = (count: number) => Array.from({ length: count }, (_, n) => n);

  test.each<[string, FactKey[]]>([
    [
      '5,000 identities of one namespace',
      many(5_000).map((n) => fact(workload('evil', `id-${n}`), workload('vault'))),
    ],
    [
      '5,000 identities spread over 500 namespaces',
      many(5_000).map((n) => fact(workload(`evil-${n % 500}`, `id-${n}`), workload('vault', 'server'))),
    ],
    [
      '5,000 identities to which a quiet namespace connects',
      many(5_000).map((n) => fact(workload('shop', 'cart'), workload('evil', `id-${n}`))),
    ],
    [
      '5,000 network sets of one namespace',
      many(5_000).map((n) =>
        fact(workload('evil'), { kind: 'networkset', ns: 'evil', identity: `set-${n}` }),
      ),
    ],
  ])('of %s remove neither the identity of another flow nor the fact of a record', (_, flood) => {
    const { records, added } = mixed(flood);
    expectQuietUnchanged(records);
    expectEdgesAndNamespaces(records, added);
    expect(records.cut).toBe(0);
    expect(records.groups().length).toBeLessThanOrEqual(limit);
    expect(records.coarsened).toBeGreaterThanOrEqual(5_000 - limit);
  });

  test.each<[string, FactKey[], string[], string[]]>([
    [
      'the source of a flood',
      many(5_000).map((n) => fact(workload('evil', `id-${n}`), workload('vault', `server-${n % 2}`))),
      ['evil'],
      ['server-0', 'server-1'],
    ],
    [
      'its destination',
      many(5_000).map((n) => fact(workload('evil', `client-${n % 2}`), workload('churn', `id-${n}`))),
      ['churn'],
      ['client-0', 'client-1'],
    ],
    [
      'both, if one is not enough',
      many(10_000).map((n) =>
        fact(workload('evil', `id-${n % 100}`), workload('churn', `id-${Math.floor(n / 100)}`), {
          protocol: `${n % 50}`,
        }),
      ),
      ['churn', 'evil'],
      [],
    ],
  ])('remove only the identities that cause the excess: %s', (_, flood, coarse, kept) => {
    const { records, added } = mixed(flood);
    expectQuietUnchanged(records);
    expectEdgesAndNamespaces(records, added);
    expect([...records.coarseNamespaces].toSorted()).toEqual(coarse);
    const left = [...records].flatMap(({ fact: one }) =>
      one?.src.ns === 'evil' ? [one.src.identity, one.dst.identity] : [],
    );
    for (const identity of kept)
      expect(left.filter((name) => name === identity)).toHaveLength(flood.length / kept.length);
    expect(records.cut).toBe(0);
  });

  test('without an identity are dropped from the namespace with the most, and counted', () => {
    const { records, added } = mixed(many(5_000).map((n) => fact(workload('evil'), workload(`ns-${n}`))));
    expectQuietUnchanged(records);
    expectEdgesAndNamespaces(records, added);
    const dropped = [...records].filter((record) => !record.fact);
    expect(records.cut).toBe(dropped.length);
    expect(records.cut).toBeGreaterThanOrEqual(5_000 - limit);
    expect(dropped.every(({ edge }) => edge?.srcNs === 'evil')).toBe(true);
  });

  test('a record with several policy traces is counted once when its fact is dropped', () => {
    const count = 50;
    const records = new ListedRecords(2 * count, { ...unlimited, groups: 10 });
    for (const key of many(count).map((n) => fact(workload('evil'), workload(`ns-${n}`)))) {
      add(records, key, trace(0));
      add(records, key, trace(1));
    }
    const withFact = new Set([...records].flatMap(({ key, fact: one }) => (one ? [key.content] : [])));
    expect(withFact.size).toBeGreaterThan(0);
    expect(records.cut).toBe(count - withFact.size);
  });

  test('a network set without its name is an unnamed end of its namespace, so that it never becomes a rule', () => {
    const { records } = mixed(
      many(5_000).map((n) =>
        fact(workload('evil'), { kind: 'networkset', ns: 'evil', identity: `set-${n}` }),
      ),
    );
    const ends = [...records].flatMap(({ fact: one }) => (one?.src.ns === 'evil' ? [one.dst] : []));
    expect(new Set(ends.map(({ kind, ns, identity }) => `${kind} ${ns} ${identity}`))).toEqual(
      new Set(['unspecified evil ']),
    );
  });
});

describe('policy traces beyond the limit of their text', () => {
  const limit = { ...unlimited, traceBytes: 100 * trace(0).text.length };

  test.each<[string, (n: number) => FactKey]>([
    ['its own connections', (n) => fact(workload('evil'), workload('vault'), { port: n })],
    [
      'connections of a quiet namespace to it, decided by its ingress policies',
      (n) => fact(workload('shop'), workload('evil'), { port: n, reporter: 'dst' }),
    ],
  ])('are dropped from the namespace whose policies they name: %s', (_, flowOf) => {
    const records = new ListedRecords(1_000, limit);
    for (let n = 0; n < 500; n++) add(records, flowOf(n), trace(n));
    for (const key of quiet) add(records, key, quietTrace);
    for (let n = 0; n < 50; n++)
      add(
        records,
        fact(workload('shop'), workload('bank'), { port: n, reporter: 'dst' }),
        trace(`bank-${n}`),
      );
    for (let n = 500; n < 900; n++) add(records, flowOf(n), trace(n));
    expectQuietUnchanged(records);
    const traces = (ns: string) =>
      [...records].filter(({ fact: one, trace: policies }) => one?.dst.ns === ns && policies).length;
    expect(traces('bank')).toBe(51);
    const evil = [...records].filter(({ fact: one, trace: policies }) => {
      const isEvil = one?.src.ns === 'evil' || one?.dst.ns === 'evil';
      return isEvil && policies !== undefined;
    });
    // It keeps its share, not nothing.
    expect(evil.length).toBeGreaterThan(20);
    expect(evil.length).toBeLessThan(100);
    expect(records.coarsened).toBe(900 - evil.length);
  });

  test('a trace that a namespace within its share uses too is kept', () => {
    const records = new ListedRecords(1_000, limit);
    for (let n = 0; n < 90; n++)
      add(records, fact(workload('evil'), workload('vault'), { port: n }), trace(n));
    add(records, quiet[0] ?? fact(workload(''), workload('')), trace(89));
    for (let n = 90; n < 500; n++)
      add(records, fact(workload('evil'), workload('vault'), { port: n }), trace(n));
    const [own] = [...records].filter(({ fact: one }) => one?.src.ns === 'shop');
    expect(own?.trace).toEqual(trace(89));
  });
});

test('of one record under very many policy traces, some are kept and the others are counted', () => {
  const records = new ListedRecords(1_000, unlimited);
  const key = fact(workload('evil'), workload('vault'));
  for (let n = 0; n < 1_000; n++) add(records, key, trace(n));
  const visited = [...records];
  expect(new Set(visited.map(({ key: { content } }) => content)).size).toBe(1);
  expect(visited.length).toBeGreaterThan(16);
  expect(visited.length + records.coarsened).toBe(1_000);
  add(records, key, trace(0));
  expect(records.length + records.coarsened).toBe(1_000);
  expect(records.cut).toBe(0);
});

test('with any records and limits, each record is visited once with its edge, and the limits hold', () => {
  const end = fc.record({
    kind: fc.constantFrom('workload', 'networkset', 'network', 'host'),
    ns: fc.constantFrom('', 'a', 'b', 'c'),
    identity: fc.constantFrom('', 'x', 'y', 'z', 'pub'),
  });
  const key = fc.record({
    src: end,
    dst: end,
    protocol: fc.constantFrom('tcp', 'udp'),
    port: fc.nat(3),
    reporter: fc.constantFrom('src', 'dst'),
    action: fc.constantFrom('allow', 'deny'),
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.nat(9)), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 5 }),
      (added, groups, traces) => {
        const records = new ListedRecords(added.length, { groups, traceBytes: traces * 40 });
        for (const [at, [one, policies]] of added.entries())
          records.add(
            String(at),
            { srcNs: one.src.ns, dstNs: one.dst.ns, action: one.action },
            one,
            trace(policies),
          );
        const visited = [...records];
        expect(visited.map(({ key: { content } }) => content)).toEqual(added.map((_, at) => String(at)));
        expect(visited.filter((record) => !record.fact)).toHaveLength(records.cut);
        expect(records.groups().length).toBeLessThanOrEqual(groups);
        expect(new Set(visited.flatMap((record) => record.trace?.text ?? [])).size).toBeLessThanOrEqual(
          traces,
        );
        for (const [at, { edge, fact: kept, trace: policies }] of visited.entries()) {
          const [one, given] = added[at] ?? [];
          expect(edge).toEqual({ srcNs: one?.src.ns, dstNs: one?.dst.ns, action: one?.action });
          if (policies) expect(policies).toEqual(trace(given ?? -1));
          if (!kept) continue;
          expect({ ...kept, src: kept.src.ns, dst: kept.dst.ns }).toEqual({
            ...one,
            src: one?.src.ns,
            dst: one?.dst.ns,
          });
          for (const side of ['src', 'dst'] as const)
            expect([one?.[side].identity, '']).toContain(kept[side].identity);
        }
      },
    ),
    { numRuns: 500 },
  );
});
