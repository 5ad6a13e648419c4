import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { OutputName } from '../../src/cli/schemas/index.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { parseAnswer } from '../support/answer.ts';
import { flowTrail, flowTrailInto } from '../support/cli.ts';
import { createTestDatabase, databasePerFile } from '../support/database.ts';
import { batch, options, streamed } from './ledger-batches.ts';

const bucket = Math.floor(Date.now() / 15_000) * 15 - 3_600;
const db = databasePerFile();

beforeAll(async () => {
  await merge(
    db.database,
    [
      batch(bucket, [streamed(1), streamed(2), streamed(3, 'c')], { settled: 'settled' }),
      batch(bucket + 15, [{ key: { content: '9' }, edge: { srcNs: 'd', dstNs: 'a', action: 'deny' } }]),
    ],
    options,
  );
  await db.database.query(
    `with g as (
       insert into flow_group (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
       values ('workload', 'a', '', 'workload', 'b', 'postgresql', 'tcp', 'src', 'allow'),
         ('workload', 'a', '', 'network', '', 'pub', 'tcp', 'src', 'allow') returning group_id
     ), f as (insert into flow_fact (group_id, port) select group_id, 5432 from g returning fact_id)
     insert into flow_fact_day (fact_id, day, trace_id, first_seen, last_seen, flow_count, hours)
     select fact_id, (to_timestamp($1) at time zone 'UTC')::date, 0, to_timestamp($1), to_timestamp($1 + 15), 4,
       1 << extract(hour from to_timestamp($1) at time zone 'UTC')::int from f`,
    [bucket],
  );
});

async function run(...args: string[]) {
  return flowTrail(args, { TIME_ZONE: 'UTC', DATABASE_URL: db.url });
}

const ageNotes = /^flow-trail: (nothing has been recorded|flow facts are stored up to) .*\n/gm;

/** The answer as JSON, checked against its schema. */
async function ask(name: OutputName, ...args: string[]): Promise<unknown> {
  const { code, out, err } = await run(...args, '--json');
  // Only an answer about the time since a moment has notes: the stored flows are an hour old.
  const hasNotes =
    ['edges', 'externals'].includes(args[0] ?? '') && args.some((arg) => arg.endsWith('since'));
  expect([code, hasNotes ? err.replaceAll(ageNotes, '') : err]).toEqual([0, '']);
  return parseAnswer(name, out);
}

const from = new Date((bucket - 7_200) * 1000).toISOString().slice(0, 19) + 'Z';

describe('edges', () => {
  test.each([
    [[], ['d a deny', 'a b allow', 'a c allow']],
    [
      ['--ns', 'a', '--action', 'allow'],
      ['a b allow', 'a c allow'],
    ],
    [['--src', 'a', '--denied'], []],
    [['--dst', 'a', '--denied'], ['d a deny']],
    [['--dst', 'a', '--since', '2h ago'], ['d a deny']],
    [['--since', '30m'], []],
    [['c'], ['a c allow']],
    [
      ['--silent-since', '30m'],
      ['d a deny', 'a b allow', 'a c allow'],
    ],
    [['--silent-since', '2h'], []],
    [['a', '--since', '2h', '--silent-since', '30m', '--denied'], ['d a deny']],
  ])('%j: every filter must match', async (args, expected) => {
    const edges = z
      .array(z.object({ srcNs: z.string(), dstNs: z.string(), action: z.string() }))
      .parse(await ask('edges', 'edges', ...args));
    expect(edges.map(({ srcNs, dstNs, action }) => `${srcNs} ${dstNs} ${action}`)).toEqual(expected);
  });

  test.each([
    [['--port'], 1],
    [['--port', '5432'], 1],
    [['--port', 'udp/5432'], 0],
    [['--identity', 'postgresql'], 1],
    [['--reporter', 'dst'], 0],
    [['--external'], 1],
    [['--port', '--since', '2h'], 1],
    [['--port', '--since', '30m'], 0],
    [['--external', '--silent-since', '2h'], 0],
    [['--external', '--dst', 'b'], 0],
  ])('%j lists flow facts', async (args, count) => {
    expect(await ask('facts', 'edges', ...args)).toHaveLength(count);
  });

  test('--peers-of lists each peer once', async () => {
    expect(await ask('peers', 'edges', '--peers-of', 'a')).toEqual([
      expect.objectContaining({ namespace: 'b', direction: 'out' }),
      expect.objectContaining({ namespace: 'c', direction: 'out' }),
      expect.objectContaining({ namespace: 'd', direction: 'in', actions: ['deny'] }),
    ]);
  });

  test('of an unknown namespace are empty, with a note that suggests a known one', async () => {
    const { code, err } = await run('edges', '--ns', 'bb');
    expect(code).toBe(0);
    expect(err).toMatch(/never been seen.*did you mean b\?/);
  });

  test.each([
    ['edges', '--identity', 'postgresq'],
    ['explain', 'a', 'b/postgresq'],
  ])('%s %s %s: an unknown service identity is named, with a similar one', async (...args) => {
    const { code, err } = await run(...args);
    expect(code).toBe(0);
    expect(err).toMatch(/postgresq has never been seen.*did you mean postgresql\?/);
  });

  test.each([
    ['--ns', 'a\u001B[2J'],
    ['--src', '../x'],
    ['--action', 'drop'],
    ['--peers-of', 'a', '--ns', 'b'],
    ['--denied', '--action', 'allow'],
    ['--port', 'http'],
    ['--reporter', 'both'],
    ['--peers-of', 'a', '--port'],
    ['b', '--ns', 'a'],
    ['--since', '1h', '--silent-since', '2h'],
  ])('%j %j is a usage error', async (...args) => {
    const { code, out, err } = await run('edges', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toContain('\u001B');
  });
});

test('the answers of matrix, externals, coverage, at and diff match their schemas', async () => {
  expect(await ask('matrix', 'matrix')).toHaveLength(2);
  expect(await ask('matrix', 'matrix', '--ns', 'd')).toEqual([
    expect.objectContaining({ srcNs: 'd', denied: ['a'] }),
  ]);
  expect(await ask('facts', 'externals', '--since', '2h')).toHaveLength(1);
  expect(await ask('facts', 'externals', '--since', '30m')).toHaveLength(0);
  await ask('coverage', 'coverage');
  expect(await ask('at', 'at', '--ns', 'a', '--from', from)).toMatchObject({
    namespace: 'a',
    notCovered: expect.arrayContaining([expect.objectContaining({ state: 'pending' })]),
    rows: [expect.anything(), expect.anything()],
  });
  expect(await ask('diff', 'diff', '--from', from)).toMatchObject({
    newPorts: [expect.objectContaining({ src: 'a', dst: 'pub', ports: ['tcp 5432'] })],
    appeared: expect.arrayContaining([expect.objectContaining({ srcNs: 'd', action: 'deny' })]),
    fellSilent: [],
  });
});

test('diff of a namespace contains only its changes', async () => {
  expect(await ask('diff', 'diff', 'd', '--from', from)).toMatchObject({
    newPorts: [],
    appeared: [expect.objectContaining({ srcNs: 'd' })],
  });
  expect(await ask('diff', 'diff', '--ns', 'a', '--from', from)).toMatchObject({
    newPorts: [expect.anything()],
  });
  expect((await run('diff', 'dd', '--from', from)).err).toContain('never been seen');
});

test('coverage of a period ends with it, and tells a period before the trail from one without gaps', async () => {
  const end = new Date((bucket + 7) * 1000).toISOString().slice(0, 19) + 'Z';
  const ranges = z
    .array(z.object({ to: z.string() }))
    .parse(await ask('coverage', 'coverage', '--until', end));
  expect(ranges.map(({ to }) => new Date(to).getTime())).toEqual([Date.parse(end)]);
  const before = await run('coverage', '--since', '3d', '--until', '2d', '--gaps');
  expect(before.out).toContain('the trail begins at');
  expect(before.out).not.toContain('no gaps');
});

describe('an answer about the time since a moment', () => {
  test('notes a gap in that time', async () => {
    await db.database.query(
      `insert into coverage (from_time, to_time, state, cause)
       values (to_timestamp($1), to_timestamp($1 + 15), 'gap', 'unreachable')`,
      [bucket + 60],
    );
    try {
      const since = (seconds: number) =>
        run('edges', '--silent-since', new Date(seconds * 1000).toISOString());
      expect((await since(bucket + 45)).err).toContain('not fully observed');
      expect((await since(bucket + 75)).err).not.toContain('not fully observed');
      expect((await run('externals', '--since', '2h')).err).toContain('not fully observed');
    } finally {
      await db.database.query('delete from coverage');
    }
  });

  test('notes that nothing is being recorded', async () => {
    for (const option of ['--since', '--new-since', '--silent-since'])
      expect((await run('edges', option, '10m')).err).toContain('nothing has been recorded since');
    expect((await run('edges')).err).toBe('');
  });

  test('notes that flow facts are not stored yet', async () => {
    const { err } = await run('edges', '--port', '--silent-since', '30m');
    expect(err).toContain('flow facts are stored up to');
  });
});

test('explain names the period, and the edge if its flow facts are missing', async () => {
  const { out } = await run('explain', 'a', 'c', '--since', '2025-01-01', '--until', '2025-01-02');
  expect(out).toContain('2025-01-01');
  expect(out).toContain('a -> c allow');
});

test('digest show finds the first digest since a time, also if nothing was new', async () => {
  await db.database.query(
    `insert into digest (digest_id, frozen_at, summary, gaps_told_until, outcome, done_at) values
       ('digest/1', now() - interval '50 hours', '{}', now(), 'posted', now()),
       ('digest/2', now() - interval '26 hours', '{}', now(), 'quiet', now())`,
  );
  try {
    expect((await run('digest', 'show', '60h')).err).toContain('digest/1');
    expect((await run('digest', 'show', '30h')).err).toContain('digest/2');
    expect((await run('digest', 'show')).err).toContain('digest/1');
    expect((await run('digest', 'show', '1h')).code).toBe(2);
    expect((await run('digest', 'show', 'someday')).code).toBe(2);
  } finally {
    await db.database.query('delete from digest');
  }
});

test('an edge without a flow for a week fell silent', async () => {
  const old = await createTestDatabase();
  try {
    await migrate(old.database);
    await old.database.query(
      `insert into edge values ('a', 'b', 'allow', now() - interval '40 days', now() - interval '20 days', 1)`,
    );
    const { out } = await flowTrail(['diff', '--from', '25d', '--json'], { DATABASE_URL: old.url });
    expect(JSON.parse(out)).toMatchObject({ fellSilent: [], appeared: [] });
    const later = await flowTrail(['diff', '--from', '18d', '--json'], { DATABASE_URL: old.url });
    expect(JSON.parse(later.out)).toMatchObject({ fellSilent: [{ srcNs: 'a', dstNs: 'b' }] });
  } finally {
    await old.drop();
  }
});

test('a read-only role is sufficient', async () => {
  const role = `reader_${process.pid}_${bucket}`;
  await db.database.query(`create role ${role} login password 'x'`);
  try {
    await db.database.query(`grant select on all tables in schema public to ${role}`);
    const url = new URL(db.url);
    url.username = role;
    url.password = 'x';
    for (const args of [
      ['edges'],
      ['matrix'],
      ['coverage'],
      ['at', 'a', '--from', from],
      ['diff', '--from', from],
    ])
      expect(await flowTrail(args, { DATABASE_URL: url.href })).toMatchObject({ code: 0 });
  } finally {
    await db.database.query(`drop owned by ${role}`);
    await db.database.query(`drop role ${role}`);
  }
});

test.each(['', 'No/Such_Zone'])('with TZ="%s", times are in UTC', async (TZ) => {
  const { code, out, err } = await flowTrail(['edges'], { DATABASE_URL: db.url, TZ });
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain(' UTC');
});

test('standard output that cannot be written is a failure without a stack trace', async () => {
  const { code, err } = await flowTrailInto('/dev/full', ['edges'], { DATABASE_URL: db.url });
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toEqual([expect.stringContaining('ENOSPC')]);
});
