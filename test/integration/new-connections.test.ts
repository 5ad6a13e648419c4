import { beforeAll, expect, test } from 'vitest';
import { readNewConnections } from '../../src/trail/facts/new-connections.ts';
import { databasePerFile } from '../support/database.ts';

const { query } = databasePerFile().database;
const noon = (day: string) => new Date(`${day}T12:00:00Z`);
const [before, from, within, to] = [
  noon('2025-11-01'),
  noon('2025-11-10'),
  noon('2025-11-15'),
  noon('2025-11-20'),
];

interface Fact {
  src?: string;
  dst?: string;
  dstKind?: string;
  port?: number;
  reporter?: string;
}

/** A fact that was seen once. */
async function see(at: Date, fact: Fact): Promise<void> {
  const { src = 'shop', dst = 'db', dstKind = 'workload', port = 5432, reporter = 'src' } = fact;
  await query(
    `with g as (
       insert into flow_group (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       values ('workload', $1, '', $3, $2, '', 'tcp', $5, 'allow') on conflict do nothing returning group_id
     ), f as (
       insert into flow_fact (group_id, port)
       select group_id, $4 from (select group_id from g union select group_id from flow_group
         where (src_ns, dst_ns, dst_kind, reporter) = ($1, $2, $3, $5)) as known
       returning fact_id
     )
     insert into flow_fact_day (fact_id, day, trace_id, first_seen, last_seen, flow_count, hours)
     select fact_id, ($6::timestamptz at time zone 'UTC')::date, 0, $6, $6, 2, 4096 from f`,
    [src, dst, dstKind, port, reporter, at],
  );
}

beforeAll(async () => {
  await see(before, { port: 5432 });
  // The destination reports an old connection for the first time: it is not new.
  await see(within, { port: 5432, reporter: 'dst' });
  await see(within, { port: 22 });
  await see(within, { port: 22, reporter: 'dst' });
  await see(within, { dst: '', dstKind: 'network', port: 443 });
  await see(to, { port: 80 });
  await see(within, { dst: 'shop', port: 8080 });
});

test('a connection is new if no reporter saw it before the period, and is counted over all reporters', async () => {
  const found = await readNewConnections(query, from, to);
  expect(found.map(({ dst, port, flowCount }) => [dst.kind, port, flowCount])).toEqual([
    ['network', 443, '2'],
    ['workload', 22, '4'],
  ]);
});
