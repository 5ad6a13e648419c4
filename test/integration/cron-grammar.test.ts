import { Client, Connection } from '@temporalio/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cronProblem } from '../../src/config/cron.ts';
import { canonicalTimeZone } from '../../src/config/time-zone.ts';
import { misleadingCrons, refusedCrons, validCrons } from '../support/cron-expressions.ts';

let connection: Connection;
let client: Client;
let schedules = 0;

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection });
});
afterAll(() => connection.close());

/** Whether Temporal's server creates a schedule with this specification. */
async function isAccepted(cron: string, timezone: string): Promise<boolean> {
  const scheduleId = `grammar-${process.pid}-${++schedules}`;
  try {
    const handle = await client.schedule.create({
      scheduleId,
      spec: { cronExpressions: [cron], timezone },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none', args: [] },
      state: { paused: true },
    });
    await handle.delete();
    return true;
  } catch (error) {
    // The client's error for INVALID_ARGUMENT. Anything else, such as a timeout, says nothing about the specification.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

test('the server accepts and rejects the listed cron expressions as the settings expect', async () => {
  for (const cron of [...validCrons, ...misleadingCrons])
    expect([cron, await isAccepted(cron, 'UTC')]).toEqual([cron, true]);
  for (const cron of refusedCrons) expect([cron, await isAccepted(cron, 'UTC')]).toEqual([cron, false]);
});

test('the server accepts every cron expression that the settings accept', async () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 60 }).map(String),
    fc.constantFrom('*', 'mon', 'sun', 'jan', 'dec'),
  );
  const range = fc.oneof(
    value,
    fc.tuple(value, value).map(([from, to]) => `${from}-${to}`),
  );
  const part = fc.oneof(
    range,
    fc.tuple(range, fc.integer({ min: 0, max: 70 })).map(([of, step]) => `${of}/${step}`),
  );
  const field = fc.oneof(
    fc.constant('*'),
    fc.array(part, { minLength: 1, maxLength: 3 }).map((all) => all.join(',')),
  );
  const expression = fc.tuple(field, field, field, field, field).map((all) => all.join(' '));
  const accepted = fc
    .sample(expression, { numRuns: 20_000, seed: 7 })
    .filter((cron) => cronProblem(cron) === undefined);
  expect(accepted.length).toBeGreaterThan(50);
  for (const cron of accepted.slice(0, 150))
    expect([cron, await isAccepted(cron, 'UTC')]).toEqual([cron, true]);
});

test('the server accepts every time zone that the settings accept', async () => {
  const names = [
    ...Intl.supportedValuesOf('timeZone'),
    'utc',
    'Japan',
    'US/Pacific',
    'Asia/Kolkata',
    'Europe/Kyiv',
    'Etc/GMT+5',
  ];
  const zones = new Set(names.map((name) => canonicalTimeZone(name) ?? `${name} is refused`));
  for (const zone of zones) expect([zone, await isAccepted('0 8 * * *', zone)]).toEqual([zone, true]);
});
