import { expect, test } from 'vitest';
import { isSummarised, summarisePorts } from '../../../src/policy/summarise-ports.ts';
import type { IncidentRow } from '../../../src/policy/incident.ts';

const row = (port: string, change: Partial<IncidentRow> = {}): IncidentRow => ({
  direction: 'out',
  peer: 'servarr',
  peerNamespace: 'servarr',
  identity: '',
  port,
  action: 'allow',
  reporter: 'src',
  hours: [],
  firstEver: '2026-11-30T17:00:00.000Z',
  flowsOnTheseDays: 2,
  policies: [],
  unusual: ['first_seen'],
  ...change,
});
const ports = (count: number, change: Partial<IncidentRow> = {}) =>
  Array.from({ length: count }, (_, index) => row(`tcp ${index + 1}`, change));

test('up to eight ports are listed', () => {
  expect(summarisePorts(ports(8))).toEqual(ports(8));
});

test('a port scan is one row with the sum of its counts, and hides no other row', () => {
  const vault = row('tcp 8200', { peer: 'vault' });
  const dns = row('udp 53');
  const found = summarisePorts([...ports(64), row('tcp, many ports', { flowsOnTheseDays: 55 }), dns, vault]);
  expect(found.map(({ port }) => port)).toEqual(['tcp, more than 64 ports', 'udp 53', 'tcp 8200']);
  expect(found[0]?.flowsOnTheseDays).toBe(2 * 64 + 55);
  expect(found.map(isSummarised)).toEqual([true, false, false]);
});

test('a port scan over several hours has all of its hours and its first time', () => {
  const later = { hours: ['2026-11-30T18:00:00.000Z'], firstEver: '2026-11-30T18:00:00.000Z' };
  const [found] = summarisePorts([...ports(5, later), ...ports(5, { hours: ['2026-11-30T17:00:00.000Z'] })]);
  expect(found).toMatchObject({
    hours: ['2026-11-30T17:00:00.000Z', '2026-11-30T18:00:00.000Z'],
    firstEver: '2026-11-30T17:00:00.000Z',
  });
});

test('ports with a different verdict, policy, reporter or direction stay apart', () => {
  const rows = [
    ...ports(9),
    ...ports(1, { action: 'deny' }),
    ...ports(1, { policies: ['another'] }),
    ...ports(1, { reporter: 'dst' }),
    ...ports(1, { direction: 'in' }),
    ...ports(1, { unusual: [] }),
  ];
  expect(summarisePorts(rows)).toHaveLength(6);
  expect(summarisePorts(rows)[0]?.port).toBe('tcp, 9 ports');
});
