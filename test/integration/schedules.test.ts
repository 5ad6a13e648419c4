import { randomUUID } from 'node:crypto';
import { Connection, type Client } from '@temporalio/client';
import { msToTs, optionalTsToDate } from '@temporalio/common/lib/time.js';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { jobNames, jobs, type JobName } from '../../src/config/temporal-names.ts';
import { ensureSchedules } from '../../src/worker/schedules.ts';
import { createNamespaceClient } from '../support/namespace-client.ts';
import { until } from '../support/poll.ts';

const log = pino({ level: 'silent' });
const trailId = randomUUID();
let connection: Connection;
let client: Client;
let namespaces = 0;

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
});
afterAll(() => connection.close());
beforeEach(async () => {
  const namespace = `schedules-${process.pid}-${++namespaces}`;
  client = await createNamespaceClient(connection, namespace);
});

function config(env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', ...env });
}

const digest = () => client.schedule.getHandle(jobs.digest.scheduleId);

/** The times of a job in a period, computed by the server. */
async function timesOf(job: JobName, from: string, to: string): Promise<string[]> {
  const { startTime } = await connection.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: jobs[job].scheduleId,
    startTime: msToTs(Date.parse(from)),
    endTime: msToTs(Date.parse(to)),
  });
  return (startTime ?? []).map((time) => optionalTsToDate(time)?.toISOString() ?? '');
}

const digestTimes = (from: string, to: string) => timesOf('digest', from, to);

test('every job has a schedule that skips overlapping runs, never pauses itself and limits the run time', async () => {
  await ensureSchedules(client, config(), trailId, log);
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
])('the digest runs at 08:00 in London across the change %s', async (_what, from, to, hours) => {
  await ensureSchedules(client, config(), trailId, log);
  const times = await digestTimes(`${from}T00:00:00Z`, `${to}T00:00:00Z`);
  expect(times.map((time) => time.slice(8, 13))).toEqual(hours);
  expect(times.every((time) => time.endsWith(':00:00.000Z'))).toBe(true);
});

// The days of the clock changes in 2027 in each zone.
describe.each([
  ['Europe/London', '2027-03-28', '2027-10-31'],
  ['America/New_York', '2027-03-14', '2027-11-07'],
  ['Australia/Sydney', '2027-10-03', '2027-04-04'],
])('across both clock changes in %s', (TIME_ZONE, spring, autumn) => {
  const dayMs = 24 * 60 * 60_000;
  const around = (night: string): [string, string] => [
    new Date(Date.parse(night) - dayMs).toISOString(),
    new Date(Date.parse(night) + 2 * dayMs).toISOString(),
  ];

  test('monitoring jobs never pause, and daily jobs keep their local hour', async () => {
    await ensureSchedules(client, config({ TIME_ZONE, HOUSEKEEPING_CRON: '7 * * * *' }), trailId, log);
    for (const night of [spring, autumn]) {
      for (const [job, minutes] of [
        ['freshness', 5],
        ['certificates', 60],
        ['housekeeping', 60],
      ] as const) {
        const times = (await timesOf(job, ...around(night))).map((time) => Date.parse(time));
        expect(times).toHaveLength((3 * dayMs) / (minutes * 60_000));
        const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        expect(new Set(waits)).toEqual(new Set([minutes * 60_000]));
      }
      const local = new Intl.DateTimeFormat('en-GB', { timeZone: TIME_ZONE, timeStyle: 'short' });
      const digests = await timesOf('digest', ...around(night));
      expect(digests).toHaveLength(3);
      expect(digests.map((time) => local.format(new Date(time)))).toEqual(['08:00', '08:00', '08:00']);
    }
  });
});

test('changed settings change the schedule, but keep an operator’s pause and note', async () => {
  await ensureSchedules(client, config(), trailId, log);
  await digest().pause('on holiday');
  await ensureSchedules(
    client,
    config({ DIGEST_CRON: '30 9 * * 1-5', TIME_ZONE: 'America/New_York', TEMPORAL_TASK_QUEUE: 'other' }),
    trailId,
    log,
  );
  const { state, action } = await digest().describe();
  expect(state).toMatchObject({ paused: true, note: 'on holiday' });
  expect(action.taskQueue).toBe('other');
  // Monday to Friday at 09:30 in New York.
  expect(await digestTimes('2027-01-01T00:00:00Z', '2027-01-06T00:00:00Z')).toEqual([
    '2027-01-01T14:30:00.000Z',
    '2027-01-04T14:30:00.000Z',
    '2027-01-05T14:30:00.000Z',
  ]);
});

test('a running worker does not replace the settings of another one; a starting worker does', async () => {
  const [former, later] = [config(), config({ DIGEST_CRON: '30 9 * * *' })];
  const check = (settings: Config, isStart: boolean) =>
    ensureSchedules(client, settings, trailId, log, { isStart });
  await check(former, true);
  expect((await check(later, true)).foreign).toEqual([]);
  const before = await digest().describe();
  const { foreign } = await check(former, false);
  expect(foreign).toMatchObject([
    {
      scheduleId: jobs.digest.scheduleId,
      settings: expect.stringContaining('30 9 * * *'),
      ownSettings: expect.stringContaining('0 8 * * *'),
    },
  ]);
  expect((await digest().describe()).raw.conflictToken).toEqual(before.raw.conflictToken);
  expect((await check(later, false)).foreign).toEqual([]);
  expect((await check(former, true)).foreign).toEqual([]);
  expect((await check(later, false)).foreign).toHaveLength(1);
});

test('a schedule that a person edited is reset by a running worker, without a limit of runs, and keeps its pause', async () => {
  await ensureSchedules(client, config(), trailId, log);
  const { action } = await digest().describe();
  // As Temporal's command line does, which drops the memo.
  await digest().update(({ spec: _former, state, ...schedule }) => ({
    ...schedule,
    action: { ...schedule.action, memo: {} },
    spec: { cronExpressions: ['0 7 * * *'] },
    state: { ...state, paused: true, note: 'on holiday', remainingActions: 1 },
  }));
  await ensureSchedules(client, config(), trailId, log, { isStart: false });
  const reset = await digest().describe();
  expect(reset.action.memo).toEqual(action.memo);
  expect(reset.state).toMatchObject({ paused: true, note: 'on holiday' });
  expect(reset.raw.schedule?.state?.limitedActions ?? false).toBe(false);
  expect(
    (await digestTimes('2027-01-01T00:00:00Z', '2027-01-02T00:00:00Z')).map((time) => time.slice(11, 16)),
  ).toEqual(['08:00']);
});

test('each cluster has its own schedules in a shared namespace', async () => {
  await ensureSchedules(client, config(), trailId, log);
  const other = config({ CLUSTER_NAME: 'homelab' });
  expect((await ensureSchedules(client, other, trailId, log)).created).toEqual(
    jobNames.map((job) => other.names.scheduleIds[job]),
  );
  expect((await ensureSchedules(client, config(), trailId, log)).created).toEqual([]);
});

test('a deleted schedule is created again and reported', async () => {
  expect((await ensureSchedules(client, config(), trailId, log)).created).toHaveLength(jobNames.length);
  await digest().delete();
  expect(await ensureSchedules(client, config(), trailId, log)).toEqual({
    created: [jobs.digest.scheduleId],
    failed: [],
    foreign: [],
  });
});

test('a schedule that the server rejects is reported, and the others are created', async () => {
  const refused = config();
  refused.jobs.crons.digest = '0 8 L * *';
  const { created, failed } = await ensureSchedules(client, refused, trailId, log);
  expect(created).toHaveLength(jobNames.length - 1);
  expect(failed.map(({ scheduleId }) => scheduleId)).toEqual([jobs.digest.scheduleId]);
});

test('unchanged settings write nothing', async () => {
  await ensureSchedules(client, config(), trailId, log);
  const before = await digest().describe();
  await ensureSchedules(client, config(), trailId, log);
  const after = await digest().describe();
  expect(after.raw.conflictToken).toEqual(before.raw.conflictToken);
});

test('workers that start at the same time create one set of schedules', async () => {
  await Promise.all([1, 2, 3].map(() => ensureSchedules(client, config(), trailId, log)));
  const found = await until('all schedules are listed', async () => {
    const ids: string[] = [];
    for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
    return ids.length >= jobNames.length ? ids : undefined;
  });
  expect(found.toSorted()).toEqual(jobNames.map((job) => jobs[job].scheduleId).toSorted());
});

test('schedules of another trail are rejected and not changed; those without an id are adopted', async () => {
  await ensureSchedules(client, config(), trailId, log);
  const before = await digest().describe();
  await expect(
    ensureSchedules(client, config({ DIGEST_CRON: '1 1 * * *' }), randomUUID(), log),
  ).rejects.toMatchObject({ kind: 'wrong_trail' });
  expect((await digest().describe()).raw.conflictToken).toEqual(before.raw.conflictToken);

  await digest().update(({ action, ...schedule }) => ({
    ...schedule,
    action: { ...action, memo: { schedule: action.memo?.['schedule'] } },
  }));
  await ensureSchedules(client, config(), trailId, log);
  expect((await digest().describe()).action.memo).toEqual(before.action.memo);
});
