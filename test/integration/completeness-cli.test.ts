import { beforeEach, describe, expect, test } from 'vitest';
import { flowTrail } from '../support/cli.ts';
import { databasePerTest } from '../support/database.ts';
import { podIn } from './ledger-batches.ts';
import { storeSettled, monday, mergeRecords, mergeDaily, recordBetween } from './watched-days.ts';

/** Whole days since `monday`. */
const today = Math.floor((Date.now() / 1000 - monday) / 86_400);
const db = databasePerTest();

function ask(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return flowTrail(['completeness', ...args], { DATABASE_URL: db.url, ...env });
}

describe('with a trail of twelve days', () => {
  beforeEach(async () => {
    await mergeDaily(db.database, today - 12, today);
    await mergeRecords(db.database, today - 1.2, recordBetween(podIn('b'), podIn('c')));
    await storeSettled(db.database, today, today - 12);
  });

  test('the table shows each namespace’s verdict and evidence', async () => {
    const { code, out, err } = await ask([]);
    expect([code, err]).toEqual([0, '']);
    const rows = out
      .split('\n\n')[0]
      ?.split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      [
        'NAMESPACE',
        'VERDICT',
        'SINCE',
        'COVERED',
        'MISSED',
        'EDGES',
        'NEW EDGE',
        'WEEKDAYS',
        'HOURS',
        'NEVER COVERED',
      ],
      ['a', 'complete', expect.any(String), '11.5 d', '0.0 d', '1', '11.5 d ago', '7 of 7', '1 of 24'],
      ['b', 'unstable', expect.any(String), '11.5 d', '0.0 d', '1', '1.2 d ago', '1 of 7', '1 of 24'],
      [
        'c',
        'learning',
        expect.any(String),
        '1.2 d',
        '0.0 d',
        '0',
        'none',
        '0 of 7',
        '0 of 24',
        expect.any(String),
      ],
    ]);
    expect(out).toContain('1 complete, 1 unstable, 1 learning, 0 stale; the trail began at ');
  });

  test('JSON contains all namespaces, or the requested one', async () => {
    const { code, out } = await ask(['--json', '--ns', 'b']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      counts: { complete: 1, unstable: 1, learning: 1, stale: 0 },
      gaps: [],
      namespaces: [{ namespace: 'b', verdict: 'unstable', daysSinceNewEdge: 1.2, egressEdges: 1 }],
    });
  });

  test('the settings of the job apply', async () => {
    const { out } = await ask(['--json'], { COMPLETENESS_MINIMUM_DAYS: '12', COMPLETENESS_STABLE_DAYS: '1' });
    expect(JSON.parse(out)).toMatchObject({
      counts: { complete: 0, learning: 3 },
      thresholds: { minimumDays: 12 },
    });
  });

  test('a namespace that was never observed is not an error', async () => {
    const { code, out } = await ask(['--namespace', 'nobody']);
    expect([code, out]).toEqual([0, expect.stringContaining('(nobody has never been observed)')]);
  });
});

test('an empty trail is reported as empty', async () => {
  const { code, out } = await ask([]);
  expect([code, out]).toEqual([0, expect.stringContaining('(nothing has been observed yet)')]);
});

test('wrong settings are reported together', async () => {
  const { code, err } = await ask([], {
    DATABASE_URL: '',
    TIME_ZONE: 'Mars',
    COMPLETENESS_MINIMUM_DAYS: '3',
  });
  expect(code).toBe(2);
  for (const setting of ['TIME_ZONE', 'COMPLETENESS_MINIMUM_DAYS', 'DATABASE_URL'])
    expect(err).toContain(`- ${setting} `);
});
