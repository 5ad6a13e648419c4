import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { parseAnswer } from '../support/answer.ts';
import { flowTrail } from '../support/cli.ts';
import { databasePerFile } from '../support/database.ts';

const db = databasePerFile();

const report = z.object({
  goldmane_aggregator: z.object({
    status: z.string(),
    detail: z.string(),
    checks: z.array(z.object({ name: z.string(), status: z.string(), cure: z.string() })),
  }),
});

/** The report and exit code for a cluster without a worker. */
async function health(settings: Record<string, string>) {
  const { code, out } = await flowTrail(['health', '--json'], {
    DATABASE_URL: db.url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    CLUSTER_NAME: `health-${randomUUID().slice(0, 8)}`,
    ...settings,
  });
  const { status, checks } = report.parse(parseAnswer('health', out)).goldmane_aggregator;
  return { code, status, checks: Object.fromEntries(checks.map((check) => [check.name, check.status])) };
}

test('without a worker the check fails: no supervisor, no schedules', async () => {
  expect(await health({})).toMatchObject({
    code: 2,
    status: 'FAIL',
    checks: { database: 'PASS', supervisor: 'FAIL', schedules: 'FAIL', certificates: 'WARN' },
  });
});

test('an unavailable system is a failed check, and the other system is still checked', async () => {
  const noTemporal = await health({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(noTemporal).toMatchObject({ code: 2, checks: { database: 'PASS', temporal: 'FAIL' } });
  const noDatabase = await health({ DATABASE_URL: 'postgres://trail@127.0.0.1:1/edges' });
  expect(noDatabase).toMatchObject({ code: 2, checks: { database: 'FAIL', supervisor: 'FAIL' } });
});

test('a wrong setting is a failed check, also in JSON', async () => {
  expect(await health({ TIME_ZONE: 'nowhere' })).toEqual({ code: 2, status: 'FAIL', checks: {} });
});

test('--quiet prints only checks that do not pass', async () => {
  const { code, out } = await flowTrail(['health', '--quiet'], {
    DATABASE_URL: db.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });
  expect(code).toBe(2);
  expect(out).toMatch(/^FAIL {2}temporal/);
  expect(out).not.toContain('PASS');
});
