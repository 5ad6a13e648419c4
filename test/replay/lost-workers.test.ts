import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { renewPresence } from '../../src/trail/workers/worker-presence.ts';
import { keepPresence } from '../../src/worker/presence.ts';
import { RunningAttempts } from '../../src/worker/running-attempts.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { databasePerTest } from '../support/database.ts';
import { until } from '../support/poll.ts';
import { end } from './supervisor-checks.ts';
import { quietRuntime, SupervisorHarness } from './supervisor-harness.ts';

/** Longer than the test: only another worker can end an attempt. */
const heartbeatTimeoutMs = 600_000;

let bundle: { code: string };
let attempts: RunningAttempts;
let harness: SupervisorHarness;
const { query } = databasePerTest().database;

beforeAll(async () => {
  quietRuntime();
  bundle = await makeWorkflowBundle();
});
beforeEach(async () => {
  attempts = new RunningAttempts('test');
  harness = await SupervisorHarness.start(inject('temporalAddress'), bundle, undefined, attempts);
});
afterEach(() => harness.close());

/** Starts another worker of the trail; the harness's own has the identity `test`. */
function startOther(supervisorId: string) {
  const stop = new AbortController();
  let renewals = 0;
  const running = keepPresence(
    {
      process: randomUUID(),
      identity: 'other',
      supervisorIds: [supervisorId],
      query: (sql, values) => {
        renewals += 1;
        return query(sql, values);
      },
      client: () => harness.client,
      log: pino({ level: 'silent' }),
      renewEveryMs: 50,
    },
    stop.signal,
  );
  return {
    renewals: () => renewals,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test('attempts of a worker that stopped renewing its presence are failed by another worker, each time they start there', async () => {
  const handle = await harness.supervise({ heartbeatTimeoutMs });
  await harness.readers.both();
  await renewPresence(query, 'test', randomUUID());
  const other = startOther(handle.workflowId);
  await until('the other worker has renewed its presence several times', () =>
    other.renewals() > 5 ? true : undefined,
  );
  expect(harness.readers.calls).toHaveLength(2);

  await query("update lease set expires_at = now() - interval '1 second' where name = 'worker/test'");
  // Here the same process takes the tasks again; in production, Temporal may also assign one to a lost machine's connection.
  const { stream, settle } = await harness.readers.both(3);
  expect([stream.attempt, settle.attempt]).toEqual([3, 3]);
  await other.stop();
  expect(await query("select from lease where name = 'worker/other'")).toEqual([]);
  await end(handle);
});

test('an attempt that was failed while its worker was alive is cancelled; its successor in the same process is not', async () => {
  const handle = await harness.supervise({ heartbeatTimeoutMs });
  const first = await harness.readers.both();
  for (const call of [first.stream, first.settle]) call.isBeating = false;
  const endings = [first.stream, first.settle].map(({ id }) => attempts.endingSignal(id));
  await renewPresence(query, 'test', randomUUID());
  await query('update lease set expires_at = now()');
  const other = startOther(handle.workflowId);
  await harness.readers.both(2);
  await other.stop();
  const next = await until('the next attempts run', async () => {
    await attempts.check(harness.client, await handle.describe());
    const running = harness.readers.calls.filter(
      ({ hasEnded, id }) => !hasEnded && attempts.endingSignal(id)?.aborted === false,
    );
    return running.length === 2 && endings.every((signal) => signal?.aborted) ? running : undefined;
  });
  for (const call of [first.stream, first.settle]) call.complete('cancelled');
  await until('only the next attempts are registered', () =>
    attempts.endingSignal(first.stream.id) === undefined &&
    attempts.endingSignal(first.settle.id) === undefined
      ? true
      : undefined,
  );
  expect(next.map(({ id }) => attempts.endingSignal(id)?.aborted)).toEqual([false, false]);
  await end(handle);
});
