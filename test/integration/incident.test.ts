import { expect, test } from 'vitest';
import { readIncident } from '../../src/queries/incident.ts';
import { databasePerTest } from '../support/database.ts';

const db = databasePerTest();

interface Seen {
  dst: string;
  action?: string;
  /** `2026-11-27` and hours (UTC) of that day. */
  days: [string, number[]][];
}

/** Stores facts of immich calling `dst` on TCP 443, in the form in which settling writes them. */
async function store({ dst, action = 'allow', days }: Seen): Promise<void> {
  const [fact] = await db.database.query<{ fact_id: string }>(
    `with g as (
       insert into flow_group (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       values ('workload', 'immich', '', 'workload', $1, '', 'tcp', 'src', $2) returning group_id)
     insert into flow_fact (group_id, port, traces) select group_id, 443, '{0}' from g returning fact_id::text`,
    [dst, action],
  );
  for (const [day, hours] of days) {
    const first = `${day}T${String(Math.min(...hours)).padStart(2, '0')}:00:00Z`;
    await db.database.query(
      `insert into flow_fact_day (fact_id, day, trace_id, first_seen, last_seen, flow_count, hours)
       values ($1, $2, 0, $3::timestamptz, $3::timestamptz + interval '15 s', 7, $4)`,
      [fact?.fact_id, day, first, hours.reduce((bits, hour) => bits | (1 << hour), 0)],
    );
  }
}

/** The three weeks before 27 November 2026. */
function everyDay(hours: number[]): [string, number[]][] {
  return Array.from({ length: 21 }, (_, index) => [
    new Date(Date.UTC(2026, 10, 6 + index)).toISOString().slice(0, 10),
    hours,
  ]);
}

function at(from: string, to: string, now = '2026-12-31T00:00:00Z') {
  return readIncident(db.database.query, {
    namespace: 'immich',
    fromSeconds: Date.parse(from) / 1000,
    toSeconds: Date.parse(to) / 1000,
    silentDays: 7,
    nowSeconds: Date.parse(now) / 1000,
  });
}

test('the answer contains exactly the hours that overlap the period, across midnight', async () => {
  await store({
    dst: 'web',
    days: [
      ['2026-11-26', [22, 23]],
      ['2026-11-27', [0, 1, 2]],
    ],
  });
  const night = await at('2026-11-26T23:30:00Z', '2026-11-27T01:10:00Z');
  expect(night.rows.map(({ hours }) => hours)).toEqual([
    ['2026-11-26T23:00:00.000Z', '2026-11-27T00:00:00.000Z', '2026-11-27T01:00:00.000Z'],
  ]);
  expect([night.hoursFrom, night.hoursTo]).toEqual(['2026-11-26T23:00:00.000Z', '2026-11-27T02:00:00.000Z']);
  expect((await at('2026-11-27T03:00:00Z', '2026-11-27T04:00:00Z')).rows).toEqual([]);
  expect((await at('2026-11-26T00:00:00Z', '2026-11-27T00:00:00Z')).rows[0]?.hours).toHaveLength(2);
});

const cases: [string, Seen, string[]][] = [
  ['a peer never seen before', { dst: 'vault', days: [['2026-11-27', [3]]] }, ['first_seen']],
  [
    'a denial never seen before',
    { dst: 'vault', action: 'deny', days: [['2026-11-27', [3]]] },
    ['first_denial'],
  ],
  [
    'an hour without earlier calls',
    { dst: 'vault', days: [...everyDay([8, 9]), ['2026-11-27', [3]]] },
    ['first_time_at_this_hour'],
  ],
  [
    'a peer that was silent',
    {
      dst: 'vault',
      days: [
        ['2026-11-10', [3]],
        ['2026-11-27', [3]],
      ],
    },
    ['silent_before'],
  ],
  ['the usual daily traffic', { dst: 'vault', days: [...everyDay([3, 8]), ['2026-11-27', [3]]] }, []],
];
test.each(cases)('%s has the right marks', async (_, seen, unusual) => {
  await store(seen);
  const { rows } = await at('2026-11-27T03:00:00Z', '2026-11-27T04:00:00Z');
  expect(rows.map((row) => row.unusual)).toEqual([unusual]);
});

test('a weekday without earlier traffic is marked', async () => {
  const weekdays = Array.from({ length: 20 }, (_, index): [string, number[]] => [
    new Date(Date.UTC(2026, 9, 26) + Math.floor(index / 5) * 7 * 86_400_000 + (index % 5) * 86_400_000)
      .toISOString()
      .slice(0, 10),
    [8],
  ]);
  // A Saturday after four weeks with traffic on Mondays to Fridays only.
  await store({ dst: 'vault', days: [...weekdays, ['2026-11-28', [8]]] });
  const { rows } = await at('2026-11-28T08:00:00Z', '2026-11-28T09:00:00Z');
  expect(rows[0]?.unusual).toContain('first_time_on_this_weekday');
});

test('unobserved time is listed first', async () => {
  const { notCovered } = await at('2026-11-27T03:00:00Z', '2026-11-27T04:00:00Z');
  expect(notCovered).toMatchObject([{ from: '2026-11-27T03:00:00.000Z', to: '2026-11-27T04:00:00.000Z' }]);
});

test('time after now is not reported as unobserved', async () => {
  const { notCovered } = await at('2026-11-27T03:00:00Z', '2026-11-27T04:00:00Z', '2026-11-27T03:20:00Z');
  expect(notCovered).toMatchObject([{ from: '2026-11-27T03:00:00.000Z', to: '2026-11-27T03:20:00.000Z' }]);
  const future = await at('2026-11-27T03:00:00Z', '2026-11-27T04:00:00Z', '2026-11-27T02:00:00Z');
  expect(future.notCovered).toMatchObject([{ to: '2026-11-27T04:00:00.000Z' }]);
});
