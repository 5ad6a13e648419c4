import { expect, test } from 'vitest';
import { fairShare } from '../../../src/trail/fold/fair-share.ts';
import { limitFacts, portLimit } from '../../../src/trail/merge/limit-bucket-facts.ts';
import { ListedRecords } from '../../../src/trail/fold/listed-records.ts';
import type { FactKey } from '../../../src/trail/record.ts';

const unlimited = { groups: Number.POSITIVE_INFINITY, traceBytes: Number.POSITIVE_INFINITY };
const edge = { srcNs: 'a', dstNs: 'b', action: 'deny' } as const;

function fact(port: number, identity = ''): FactKey {
  return {
    src: { kind: 'workload', ns: 'a', identity },
    dst: { kind: 'workload', ns: 'b', identity: '' },
    protocol: 'tcp',
    port,
    reporter: 'src',
    action: 'deny',
  };
}

const trace = (n: number) => ({ digest: BigInt(n + 1), text: `{"n":${n}}` });

const knowing = (ports: readonly number[]) => () => Promise.resolve([new Set(ports)]);

function scan(ports: number, identities = 1): ListedRecords {
  const records = new ListedRecords(ports * identities, unlimited);
  for (let id = 0; id < identities; id++)
    for (let port = 1; port <= ports; port++)
      records.add(`${id} ${port}`, edge, fact(port, `id-${id}`), trace(0));
  return records;
}

function factsOf(records: ListedRecords): number {
  return records.countFacts().reduce((sum, count) => sum + count, 0);
}

function portsOf(records: ListedRecords): number[] {
  return [...new Set([...records].map(({ fact: one }) => one?.port ?? 0))].sort((a, b) => a - b);
}

test('a bucket within the limits is unchanged', async () => {
  const records = scan(256);
  expect(await limitFacts([{ startSeconds: 0, records }], { portCap: 64, maxFacts: 300 }, knowing([]))).toBe(
    0,
  );
  expect(portsOf(records)).toHaveLength(256);
});

test('a scan keeps known ports, then the lowest; the others become "many", and every record is kept', async () => {
  const records = scan(50_000);
  const known = [8_080, 49_999, 60_000];
  const coarse = await limitFacts(
    [{ startSeconds: 0, records }],
    {
      portCap: 64,
      maxFacts: 20_000,
    },
    knowing(known),
  );
  expect(coarse).toBe(50_000 - 256);
  expect(portsOf(records)).toEqual([-1, ...Array.from({ length: 254 }, (_, n) => n + 1), 8_080, 49_999]);
  expect([...records]).toHaveLength(50_000);
  expect([...records].every((record) => record.edge === edge || record.edge?.srcNs === 'a')).toBe(true);
  // As in a retried transaction.
  expect(
    await limitFacts([{ startSeconds: 0, records }], { portCap: 64, maxFacts: 20_000 }, knowing(known)),
  ).toBe(0);
});

test('if many identities each scan a few ports, each keeps fewer, so that the bucket fits', async () => {
  const records = scan(40, 5_000);
  await limitFacts([{ startSeconds: 0, records }], { portCap: 64, maxFacts: 20_000 }, knowing([]));
  expect(factsOf(records)).toBeLessThanOrEqual(20_000);
  expect(factsOf(records)).toBeGreaterThan(5_000);
});

test('traces are dropped if ports are not the cause of the excess', async () => {
  const records = new ListedRecords(30_000, unlimited);
  for (let n = 0; n < 30_000; n++) records.add(String(n), edge, fact(80), trace(n));
  await limitFacts([{ startSeconds: 0, records }], { portCap: 64, maxFacts: 20_000 }, knowing([]));
  expect(factsOf(records)).toBe(1);
  expect([...records].some(({ trace: one }) => one !== undefined)).toBe(false);
});

test('a namespace that scans with many identities and traces coarsens no fact of another namespace', async () => {
  const records = new ListedRecords(40_000, unlimited);
  for (let n = 0; n < 30_000; n++)
    records.add(`evil ${n}`, edge, fact(1 + (n % 3), `id-${n % 1_499}`), trace(n % 20));
  const victim = (port: number): FactKey => ({
    ...fact(port),
    src: { kind: 'workload', ns: 'shop', identity: '' },
  });
  for (let port = 1; port <= 20; port++) records.add(`shop ${port}`, edge, victim(port), trace(port % 4));
  await limitFacts([{ startSeconds: 0, records }], { portCap: 64, maxFacts: 2_000 }, knowing([]));
  const own = [...records].filter(({ fact: one }) => one?.src.ns === 'shop');
  expect(new Set(own.map(({ fact: one }) => one?.port)).size).toBe(20);
  expect(own.every(({ trace: one }) => one !== undefined)).toBe(true);
  expect(factsOf(records)).toBeLessThanOrEqual(2_000);
});

test('many ports in one destination namespace coarsen only the flows to it', async () => {
  const records = new ListedRecords(40_000, unlimited);
  const from = (ns: string, to: string, port: number): FactKey => ({
    ...fact(port),
    src: { kind: 'workload', ns, identity: '' },
    dst: { kind: 'workload', ns: to, identity: `id-${port % 100}` },
  });
  for (let port = 1; port <= 20_000; port++)
    records.add(`evil ${port}`, edge, from('monitoring', 'evil', port), trace(port % 30));
  for (let port = 1; port <= 20; port++)
    records.add(`shop ${port}`, edge, from('monitoring', 'shop', port), trace(port % 4));
  await limitFacts([{ startSeconds: 0, records }], { portCap: 64, maxFacts: 2_000 }, knowing([]));
  const toShop = [...records].filter(({ fact: one }) => one?.dst.ns === 'shop');
  expect(new Set(toShop.map(({ fact: one }) => one?.port)).size).toBe(20);
  expect(toShop.every(({ trace: one }) => one !== undefined)).toBe(true);
  expect(factsOf(records)).toBeLessThanOrEqual(2_000);
});

test.each([
  [[10, 10], 100, 100],
  [[10, 1_000], 100, 90],
  [[10, 1_000, 1_000], 101, 45],
  [[1_000], 100, 100],
  [[], 100, 100],
])('of facts %j with a limit of %i, each source keeps at most %i', (sizes, capacity, share) => {
  expect(fairShare(sizes, capacity)).toBe(share);
});

test('the limit of ports is never negative', () => {
  expect(portLimit(scan(10, 300).groups(), 256, 200)).toBe(0);
});
