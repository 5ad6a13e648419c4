import { expect, test } from 'vitest';
import { readEdgesQuestion, otherDenialTexts } from '../../src/cli/ask-edges.ts';
import { databasePerFile } from '../support/database.ts';

const { query } = databasePerFile().database;
const day = Math.floor(Date.parse('2025-11-25T12:00:00Z') / 1000);

/** A denied fact of one pair, with its first-seen time. */
async function deny(src: string, dst: string, { kind = 'workload', at = day } = {}): Promise<void> {
  await query(
    `with g as (
       insert into flow_group (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       values ('workload', $1, '', $3, $2, '', 'udp', 'src', 'deny') returning group_id
     ), f as (insert into flow_fact (group_id, port) select group_id, 53 from g returning fact_id)
     insert into flow_fact_day (fact_id, day, trace_id, first_seen, last_seen, flow_count, hours)
     select fact_id, (to_timestamp($4) at time zone 'UTC')::date, 0, to_timestamp($4), to_timestamp($4), 1, 4096 from f`,
    [src, dst, kind, at],
  );
}

async function noted(question: Omit<Parameters<typeof readEdgesQuestion>[0], 'limit'>): Promise<number> {
  const { otherDenials } = await readEdgesQuestion({ ...question, limit: '10' })(query);
  return otherDenialTexts(otherDenials).length;
}

test('a question about denied edges says which denials belong to none', async () => {
  await deny('shop', 'db');
  expect(await noted({ denied: true })).toBe(0);
  await deny('calico-system', '', { kind: 'network' });
  expect(await noted({ denied: true })).toBe(1);
  await deny('shop', 'shop');
  expect(await noted({ denied: true })).toBe(2);
  expect(await noted({ action: 'deny', port: true })).toBe(2);
  // The same conditions as for the rows.
  expect(await noted({ denied: true, src: 'shop' })).toBe(1);
  expect(await noted({ denied: true, ns: 'db' })).toBe(0);
  expect(await noted({ denied: true, newSince: '2025-11-26' })).toBe(0);
  expect(await noted({ denied: true, since: '2025-11-25' })).toBe(2);
  expect(await noted({ denied: true, since: '2025-11-26' })).toBe(0);
  // Questions whose answer is not taken for all denials.
  expect(await noted({})).toBe(0);
  expect(await noted({ denied: true, external: true })).toBe(0);
  expect(await noted({ denied: true, port: '53' })).toBe(0);
});
