import { expect, test } from 'vitest';
import { pauseSignal, progressSignal, resumeSignal, statusQuery } from '../../src/workflows/messages.ts';
import { until } from '../support/poll.ts';
import { end, untilStatus } from './supervisor-checks.ts';
import { connected } from './summaries.ts';
import { useSupervisor } from './use-supervisor.ts';

const supervisor = useSupervisor();

const malformed: unknown[] = [
  undefined,
  null,
  {},
  'connected',
  [],
  { reader: 'stream' },
  { reader: 'constructor', at: '2026-01-31T08:00:00.000Z', state: 'connected' },
  { reader: 'stream', at: 'yesterday', state: 'connected' },
  { reader: 'settle', at: '2026-01-31T08:00:00.000Z', state: 'following' },
  { reader: 'stream', at: '9999-12-31T00:00:00.000Z', state: 'connected' },
  { reader: 'stream', at: '1', state: 'connected' },
];

/** Payloads that the TypeScript client cannot send: truncated JSON, an unknown encoding, plain bytes. */
const unreadable = [
  { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"reader":') },
  { metadata: { encoding: Buffer.from('json/protobuf') }, data: Buffer.from('x') },
  { metadata: { encoding: Buffer.from('binary/unknown') }, data: Buffer.from('x') },
  { metadata: {}, data: Buffer.from('x') },
  {},
];

test('malformed signals are ignored, by the running supervisor and by every replay of it', async () => {
  const handle = await supervisor.harness.supervise();
  await supervisor.readers.both();
  for (const value of malformed) await handle.signal(progressSignal, value);
  await handle.signal('progress');
  await handle.signal('unknown', { reader: 'stream' });
  const { client } = supervisor.harness;
  for (const payload of unreadable)
    for (const signalName of ['progress', 'pause', 'unknown'])
      await client.workflowService.signalWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: handle.workflowId },
        signalName,
        input: { payloads: [payload] },
      });
  await handle.signal(resumeSignal);
  await handle.signal(progressSignal, { ...connected('stream'), gaps: 'none', edges: 'many', lagSeconds: 1 });
  // A pause with an unreadable reason still pauses: it ended both windows, and resume started the next ones.
  await supervisor.readers.both(2);
  const status = await untilStatus(
    handle,
    'the valid signal and both summaries are read',
    ({ lagSeconds, windows }) => lagSeconds === 1 && windows === 2,
  );
  expect(status).toMatchObject({ gaps: [], stream: { state: 'connected' } });
  expect(status.edges).toBeUndefined();
  // A workflow task may be running, but none was retried.
  expect((await handle.describe()).raw.pendingWorkflowTask?.attempt ?? 1).toBe(1);

  await client.workflowService.resetStickyTaskQueue({
    namespace: 'default',
    execution: { workflowId: handle.workflowId },
  });
  expect(await handle.query(statusQuery)).toEqual(status);
  await end(handle);
});

test.each([
  [
    'malformed',
    { windowMs: 'long', historyMs: -1, maxBackoffMs: null, status: { gaps: 7, windows: '3', stream: {} } },
  ],
  [
    'outlandish',
    { windowMs: 1e300, historyMs: 1e300, heartbeatTimeoutMs: 1e-4, maxBackoffMs: 1e300, speed: 1e300 },
  ],
])('an input that is %s starts a supervisor with the defaults', async (_what, input) => {
  const handle = await supervisor.harness.client.workflow.start('superviseTrail', {
    workflowId: `malformed-${Date.now()}`,
    taskQueue: supervisor.harness.taskQueue,
    args: [input],
  });
  const { stream } = await supervisor.readers.both();
  expect(stream.input).toEqual({ windowMs: 15 * 60_000 });
  expect(await handle.query(statusQuery)).toMatchObject({
    windows: 0,
    gaps: [],
    stream: { state: 'connecting' },
  });
  await end(handle);
});

test('paused readers end and start again only on resume', async () => {
  const handle = await supervisor.harness.supervise();
  const { stream, settle } = await supervisor.readers.both();
  await handle.signal(pauseSignal, 'maintenance');
  await until('both have ended', () => (stream.hasEnded && settle.hasEnded) || undefined);
  const { paused } = await untilStatus(handle, 'both are counted', ({ windows }) => windows === 2);
  expect(paused?.reason).toBe('maintenance');
  expect((await handle.describe()).memo).toMatchObject({ state: 'paused: maintenance', paused });
  expect((await handle.describe()).raw.pendingActivities ?? []).toEqual([]);
  await handle.signal(resumeSignal);
  await supervisor.readers.both(2);
  expect((await handle.query(statusQuery)).paused).toBeUndefined();
  await end(handle);
});

test('a pause is kept when the supervisor continues as new, and a paused supervisor can be cancelled', async () => {
  const handle = await supervisor.harness.supervise({ historyMs: 3_000 });
  await supervisor.readers.both();
  await handle.signal(pauseSignal);
  const latest = () => supervisor.harness.client.workflow.getHandle(handle.workflowId);
  await until('it continued as new', async () => {
    const { runId } = await latest().describe();
    return runId === handle.firstExecutionRunId ? undefined : true;
  });
  expect((await latest().query(statusQuery)).paused).toBeDefined();
  expect(supervisor.readers.calls).toHaveLength(2);
  await end(latest());
});
