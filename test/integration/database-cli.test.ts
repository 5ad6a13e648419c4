import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../src/trail/database/migrate.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import type { FactEnd, TrailRecord } from '../../src/trail/record.ts';
import { flowTrail, spawnFlowTrail } from '../support/cli.ts';
import { createTestDatabase, databasePerTest } from '../support/database.ts';
import { batch, options, streamed } from './ledger-batches.ts';

const bucket = Math.floor(Date.now() / 15_000) * 15 - 3_600;
const db = databasePerTest(createTestDatabase);

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return flowTrail(args, { TIME_ZONE: 'UTC', DATABASE_URL: db.url, ...env });
}

describe('with a trail', () => {
  beforeEach(async () => {
    await migrate(db.database);
    await merge(
      db.database,
      [
        batch(bucket, [streamed(1), streamed(2), streamed(3, 'c')], { settled: 'settled' }),
        batch(bucket + 15, [
          streamed(1),
          { key: { content: '9' }, edge: { srcNs: 'd', dstNs: 'a', action: 'deny' } },
        ]),
      ],
      options,
    );
  });

  test('edges shows edges in columns, newest first', async () => {
    const { code, out, err } = await run(['edges']);
    expect([code, err]).toEqual([0, '']);
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['FROM', 'TO', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
      ['d', 'a', 'deny', expect.stringMatching(/ UTC$/), expect.any(String), '1'],
      ['a', 'b', 'allow', expect.any(String), expect.any(String), '3'],
      ['a', 'c', 'allow', expect.any(String), expect.any(String), '1'],
    ]);
  });

  test.each([
    [
      ['--ns', 'a'],
      ['d a', 'a b', 'a c'],
    ],
    [['--src', 'a', '--dst', 'b'], ['a b']],
    [['--denied'], ['d a']],
    [['--new-since', new Date((bucket + 15) * 1000).toISOString()], ['d a']],
  ])('edges %j filters', async (args, expected) => {
    const { code, out } = await run(['edges', '--json', ...args]);
    expect(code).toBe(0);
    const edges: { srcNs: string; dstNs: string }[] = JSON.parse(out);
    expect(edges.map(({ srcNs, dstNs }) => `${srcNs} ${dstNs}`)).toEqual(expected);
  });

  test('edges --without-workload lists only edges whose facts all have a network set at one end', async () => {
    const end = { kind: 'workload', ns: 'a', identity: '' } as const;
    const set = { kind: 'networkset', ns: 'b', identity: 'partners' } as const;
    const recordTo = (n: number, dst: FactEnd): TrailRecord => ({
      key: { content: `${n}` },
      edge: { srcNs: 'a', dstNs: dst.ns, action: 'allow' },
      fact: { src: end, dst, protocol: 'tcp', port: 80, reporter: 'src', action: 'allow' },
    });
    const records = [
      recordTo(11, set),
      recordTo(12, { ...end, ns: 'b' }),
      recordTo(13, { ...set, ns: 'shop' }),
    ];
    await merge(db.database, [batch(bucket + 30, records, { settled: 'settled' })], options);
    const { code, out } = await run(['edges', '--json', '--without-workload']);
    expect([code, JSON.parse(out)]).toMatchObject([0, [{ srcNs: 'a', dstNs: 'shop' }]]);
  });

  test('edges reports that the list was cut off at the limit', async () => {
    const { code, out, err } = await run(['edges', '--json', '--limit', '2']);
    expect([code, JSON.parse(out)]).toEqual([0, [expect.anything(), expect.anything()]]);
    expect(err).toContain('--limit');
  });

  test('coverage shows the state of each time range', async () => {
    const { code, out } = await run(['coverage', '--json', '--since', '2h']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        from: new Date(bucket * 1000).toISOString(),
        to: new Date((bucket + 15) * 1000).toISOString(),
        state: 'settled',
      },
      expect.objectContaining({ state: 'pending' }),
    ]);
  });

  test.each(['stdout', 'stderr'] as const)('a closed %s ends the command without error', async (closed) => {
    const child = spawnFlowTrail(['edges', '--limit', '2'], { DATABASE_URL: db.url });
    child[closed].destroy();
    const open = closed === 'stdout' ? child.stderr : child.stdout;
    const [shown] = await Promise.all([text(open), once(child, 'close')]);
    expect(child.exitCode).toBe(0);
    expect(shown).not.toContain('EPIPE');
  });
});

describe('a usage error is one line without a stack trace', () => {
  test.each([
    ['an option', ['edges', '--limit', 'all'], {}, 2, '--limit'],
    ['settings', ['edges'], { DATABASE_URL: '' }, 2, 'DATABASE_URL'],
    ['a database without a schema', ['edges'], {}, 1, 'schema'],
    [
      'a database that does not exist',
      ['edges'],
      { DATABASE_URL: 'postgres://x:hunter2@127.0.0.1:1/y' },
      1,
      '127.0.0.1:1',
    ],
  ])('%s', async (_what, args, env, code, named) => {
    const result = await run(args, env);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toMatch(/^flow-trail: /);
    expect(result.err).toContain(named);
    expect(result.err).not.toMatch(/hunter2|at .*\.ts:/);
  });

  test.each([['frobnicate'], ['edges', '--frobnicate']])('of the command line: %s', async (...args) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toMatch(/unknown/);
  });
});
