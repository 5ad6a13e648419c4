import { Client, Connection } from '@temporalio/client';
import { msToTs, optionalTsToDate } from '@temporalio/common/lib/time.js';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { jobNames, jobs } from '../../src/config/names.ts';
import { ensureSchedules } from '../../src/worker/schedules.ts';
import { until } from '../support/poll.ts';

const log = pino({ level: 'silent' });
let connection: Connection;
let client: Client;
let namespaces = 0;

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
});
afterAll(() => connection.close());
beforeEach(async () => {
  const namespace = `schedules-${process.pid}-${++namespaces}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  client = new Client({ connection, namespace });
  await until('the namespace can be used', () =>
    client.schedule
      .getHandle('none')
      .describe()
      .catch((error: unknown) => (/not found/i.test(String(error)) ? true : undefined)),
  );
});

function config(env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', ...env });
}

const digest = () => client.schedule.getHandle(jobs.digest.scheduleId);

/** When the digest would run between two moments, by the server's own reckoning. */
async function digestTimes(from: string, to: string): Promise<string[]> {
  const { startTime } = await connection.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: jobs.digest.scheduleId,
    startTime: msToTs(Date.parse(from)),
    endTime: msToTs(Date.parse(to)),
  });
  return (startTime ?? []).map((time) => optionalTsToDate(time)?.toISOString() ?? '');
}

test('every job has a schedule whose runs skip what overlaps, never pause by themselves and may not hang', async () => {
  await ensureSchedules(client, config(), log);
  for (const job of jobNames) {
    const { action, policies, state } = await client.schedule.getHandle(jobs[job].scheduleId).describe();
    expect(action.workflowType).toBe(jobs[job].workflowType);
    expect(action.workflowExecutionTimeout).toBeGreaterThan(0);
    expect(policies.overlap).toBe('SKIP');
    expect(policies.pauseOnFailure).toBe(false);
    expect(policies.catchupWindow).toBeLessThanOrEqual(6 * 3_600_000);
    expect(state.paused).toBe(false);
    expect(state.note).not.toBe('');
  }
});

test.each([
  ['into summer', '2027-03-27', '2027-03-30', ['27T08', '28T07', '29T07']],
  ['into winter', '2027-10-30', '2027-11-02', ['30T07', '31T08', '01T08']],
])(
  'the digest comes at eight by the clock in London across the change %s',
  async (_what, from, to, hours) => {
    await ensureSchedules(client, config(), log);
    const times = await digestTimes(`${from}T00:00:00Z`, `${to}T00:00:00Z`);
    expect(times.map((time) => time.slice(8, 13))).toEqual(hours);
    expect(times.every((time) => time.endsWith(':00:00.000Z'))).toBe(true);
  },
);

test('changed settings change the schedule, and an operator’s pause and note stay', async () => {
  await ensureSchedules(client, config(), log);
  await digest().pause('on holiday');
  await ensureSchedules(
    client,
    config({ DIGEST_CRON: '30 9 * * 1-5', TIME_ZONE: 'America/New_York', TEMPORAL_TASK_QUEUE: 'other' }),
    log,
  );
  const { state, action } = await digest().describe();
  expect(state).toMatchObject({ paused: true, note: 'on holiday' });
  expect(action.taskQueue).toBe('other');
  // Monday to Friday, at half past nine in New York.
  expect(await digestTimes('2027-01-01T00:00:00Z', '2027-01-06T00:00:00Z')).toEqual([
    '2027-01-01T14:30:00.000Z',
    '2027-01-04T14:30:00.000Z',
    '2027-01-05T14:30:00.000Z',
  ]);
});

test('unchanged settings write nothing', async () => {
  await ensureSchedules(client, config(), log);
  const before = await digest().describe();
  await ensureSchedules(client, config(), log);
  const after = await digest().describe();
  expect(after.raw.conflictToken).toEqual(before.raw.conflictToken);
});

test('workers that start together end in one set of schedules', async () => {
  await Promise.all([1, 2, 3].map(() => ensureSchedules(client, config(), log)));
  const found = await until('all schedules are listed', async () => {
    const ids: string[] = [];
    for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
    return ids.length >= jobNames.length ? ids : undefined;
  });
  expect(found.toSorted()).toEqual(jobNames.map((job) => jobs[job].scheduleId).toSorted());
});
