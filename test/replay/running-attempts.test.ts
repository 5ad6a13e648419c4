import { afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { RunningAttempts } from '../../src/worker/running-attempts.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { freshWindowSignal } from '../../src/workflows/messages.ts';
import { until } from '../support/poll.ts';
import { end } from './supervisor-checks.ts';
import { quietRuntime, SupervisorHarness } from './supervisor-harness.ts';

/** Longer than the test: only the check can end an attempt. */
const heartbeatTimeoutMs = 600_000;

let bundle: { code: string };
let harness: SupervisorHarness;

beforeAll(async () => {
  quietRuntime();
  bundle = await makeWorkflowBundle();
});
beforeEach(async () => {
  harness = await SupervisorHarness.start(inject('temporalAddress'), bundle);
});
afterEach(() => harness.close());

const check = async (attempts: RunningAttempts, workflowId: string) =>
  attempts.check(harness.client, await harness.client.workflow.getHandle(workflowId).describe());

test('attempts of an earlier process with the same identity are failed, and the next ones start', async () => {
  const handle = await harness.supervise({ heartbeatTimeoutMs });
  await harness.readers.both();
  const restarted = new RunningAttempts('test', Date.now() + 60_000);
  expect(await check(restarted, handle.workflowId)).toEqual([]);
  expect((await check(restarted, handle.workflowId)).toSorted()).toEqual(['settleBuckets', 'streamFlows']);
  const { stream, settle } = await harness.readers.both(2);
  expect([stream.attempt, settle.attempt]).toEqual([2, 2]);
  expect(await check(restarted, handle.workflowId)).toEqual([]);
  await end(handle);
});

test.each([
  ['of another worker', new RunningAttempts('another', Date.now() + 60_000)],
  ['that started after this process', new RunningAttempts('test', Date.now() - 60_000)],
])('attempts %s are not failed', async (_which, attempts) => {
  const handle = await harness.supervise({ heartbeatTimeoutMs });
  await harness.readers.both();
  for (let round = 0; round < 3; round += 1) expect(await check(attempts, handle.workflowId)).toEqual([]);
  await end(handle);
});

test('an attempt of this process is cancelled as soon as the workflow requests it, before its next heartbeat is answered', async () => {
  const attempts = new RunningAttempts('test');
  const registered = await SupervisorHarness.start(inject('temporalAddress'), bundle, undefined, attempts);
  const { client, readers } = registered;
  const handle = await registered.supervise({ heartbeatTimeoutMs });
  const { stream, settle } = await readers.both();
  for (const call of [stream, settle]) call.isBeating = false;
  const endings = [stream, settle].map(({ id }) => attempts.endingSignal(id));
  expect(endings.map((signal) => signal?.aborted)).toEqual([false, false]);
  await handle.signal(freshWindowSignal);
  await until('both are cancelled', async () => {
    await attempts.check(client, await client.workflow.getHandle(handle.workflowId).describe());
    return endings.every((signal) => signal?.aborted) || undefined;
  });
  stream.complete('cancelled');
  settle.complete('cancelled');
  await readers.both(2);
  expect(attempts.endingSignal(stream.id)).toBeUndefined();
  await end(handle);
  await registered.close();
});

test('an attempt whose activity a person has completed is cancelled, and its successor is not', async () => {
  const attempts = new RunningAttempts('test');
  const registered = await SupervisorHarness.start(inject('temporalAddress'), bundle, undefined, attempts);
  const { client, readers } = registered;
  const handle = await registered.supervise({ heartbeatTimeoutMs });
  const { workflowId } = handle;
  const { stream, settle } = await readers.both();
  stream.isBeating = false;
  const [ofStream, ofSettle] = [stream, settle].map(({ id }) => attempts.endingSignal(id));
  await client.workflowService.respondActivityTaskCompletedById({
    namespace: 'default',
    workflowId,
    activityId: stream.id.activityId,
  });
  const next = await until('the next window has started', () => readers.calls[2]);
  const ofNext = attempts.endingSignal(next.id);
  await check(attempts, workflowId);
  expect(ofStream?.aborted).toBe(false);
  await check(attempts, workflowId);
  expect([ofStream, ofSettle, ofNext].map((signal) => signal?.aborted)).toEqual([true, false, false]);
  stream.complete('cancelled');
  await end(handle);
  await registered.close();
});

test('attempts of a terminated supervisor are cancelled no later than those of the next one start', async () => {
  const attempts = new RunningAttempts('test');
  const registered = await SupervisorHarness.start(inject('temporalAddress'), bundle, undefined, attempts);
  const { client, readers } = registered;
  const first = await registered.supervise({ heartbeatTimeoutMs });
  const { stream, settle } = await readers.both();
  for (const call of [stream, settle]) call.isBeating = false;
  const endings = [stream, settle].map(({ id }) => attempts.endingSignal(id));
  const { workflowId } = first;
  await first.terminate();
  const next = await client.workflow.start('superviseTrail', {
    workflowId,
    taskQueue: registered.taskQueue,
    args: [{ heartbeatTimeoutMs }],
    workflowRunTimeout: '2m',
  });
  await readers.both(2);
  const ofNext = readers.calls.slice(2).map(({ id }) => attempts.endingSignal(id));
  await check(attempts, workflowId);
  expect(endings.map((signal) => signal?.aborted)).toEqual([true, true]);
  expect(ofNext.map((signal) => signal?.aborted)).toEqual([false, false]);

  stream.complete('cancelled');
  settle.complete('cancelled');
  await next.terminate();
  let hasEnded = false;
  const ending = attempts.end(workflowId).then(() => (hasEnded = true));
  expect(ofNext.map((signal) => signal?.aborted)).toEqual([true, true]);
  expect(hasEnded).toBe(false);
  for (const call of readers.calls.slice(2)) call.complete('cancelled');
  await ending;
  await registered.close();
});
