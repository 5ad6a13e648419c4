import { beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { readMap, readMapChanges } from '../../src/queries/map.ts';
import { mergeCapture } from '../support/captured-trail.ts';
import { databasePerFile } from '../support/database.ts';

const now = Date.parse('2026-11-23T00:00:00Z');
const db = databasePerFile();

beforeAll(async () => {
  await mergeCapture(db.database);
  await db.database.query(
    `with g as (
       insert into flow_group (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       values ('workload', 'mallory', 'server', 'network', '', 'pub', 'tcp', 'src', 'allow'),
         ('workload', 'mallory', 'server', 'workload', 'pub', '', 'tcp', 'src', 'allow') returning group_id
     ), f as (insert into flow_fact (group_id, port) select group_id, port from g, unnest(array[443, 80]) as port returning fact_id)
     insert into flow_fact_day
     select fact_id, '2026-11-22', 0, '2026-11-22T10:00Z', '2026-11-22T11:00Z', 2, 1 from f`,
  );
  await db.database.query(
    `insert into edge values ('mallory', 'pub', 'allow', '2026-11-22T10:00Z', '2026-11-22T11:00Z', 4)`,
  );
});

function settings() {
  const config = loadConfig({ DATABASE_URL: db.url, GOLDMANE_HOST: 'goldmane.example:7443' });
  const clock = { ...config.clock, now: () => now };
  return { config: { ...config, clock }, cluster: '', temporalUiUrl: undefined };
}

test('a namespace called pub is not treated as public addresses', async () => {
  const { edges, externals } = await readMap(db.database.query, settings());
  expect(externals.find(({ src }) => src === 'mallory')).toMatchObject({
    dst: 'pub (outside)',
    action: 'allow',
    flows: '4',
    identities: ['server'],
  });
  expect(edges.find(({ dst }) => dst === 'pub')).toMatchObject({ src: 'mallory', identities: ['server'] });
  expect(edges.filter(({ src, dst }) => `${src}${dst}`.includes('outside'))).toEqual([]);
});

test('the page shows the same changes as flow-trail diff', async () => {
  const changes = await readMapChanges(db.database.query, {
    from: new Date('2026-11-20T00:00:00Z'),
    to: new Date(now),
    silentDays: 7,
  });
  expect(changes.appeared).toContainEqual(expect.objectContaining({ src: 'mallory', dst: 'pub' }));
  expect(changes.notCovered.length).toBeGreaterThan(0);
});
