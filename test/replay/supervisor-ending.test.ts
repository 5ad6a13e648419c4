import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { freshWindowSignal, progressSignal, statusQuery } from '../../src/workflows/messages.ts';
import { until } from '../support/poll.ts';
import { end, expectCancelled, untilStatus } from './supervisor-checks.ts';
import { connected, failing } from './summaries.ts';
import { useSupervisor } from './use-supervisor.ts';

const supervisor = useSupervisor();

describe('ending', () => {
  test.each(['report', 'cancelled'] as const)(
    'a cancelled supervisor cancels both readers (they %s), then ends as cancelled',
    async (onCancel) => {
      supervisor.readers.onCancel = onCancel;
      const handle = await supervisor.harness.supervise();
      const calls = [await supervisor.readers.call('stream'), await supervisor.readers.call('settle')];
      await end(handle);
      expect(calls.map(({ isCancelled, hasEnded }) => isCancelled && hasEnded)).toEqual([true, true]);
      expect(supervisor.readers.calls).toHaveLength(2);
    },
  );

  test('a cancelled supervisor waits until its readers have committed', async () => {
    supervisor.readers.onCancel = 'wait';
    const handle = await supervisor.harness.supervise();
    const { stream, settle } = await supervisor.readers.both();
    await handle.cancel();
    await until('both are cancelled', () => (stream.isCancelled && settle.isCancelled) || undefined);
    settle.fail(ApplicationFailure.create({ type: 'database_lost', message: 'the database is away' }));
    await until('the end of settling is recorded', async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.length === 1 || undefined;
    });
    expect((await handle.describe()).status.name).toBe('RUNNING');
    stream.complete('cancelled');
    await expectCancelled(handle);
  });

  test('the supervisor continues as new only when both windows have ended, and keeps the status', async () => {
    supervisor.readers.onCancel = 'wait';
    const first = await supervisor.harness.supervise({ historyMs: 1_000 });
    const { stream, settle } = await supervisor.readers.both();
    const { supervisedSince } = await first.query(statusQuery);
    await until('settling is cancelled', () => settle.isCancelled || undefined);
    expect(stream.isCancelled).toBe(false);
    settle.complete('cancelled');
    await until('the stream is cancelled', () => stream.isCancelled || undefined);
    expect(supervisor.readers.calls).toHaveLength(2);
    stream.complete('cancelled');
    await supervisor.readers.call('stream', 2);
    await supervisor.readers.call('settle', 2);
    const next = supervisor.harness.client.workflow.getHandle(first.workflowId);
    expect((await next.describe()).runId).not.toBe(first.firstExecutionRunId);
    expect(await next.query(statusQuery)).toMatchObject({
      supervisedSince,
      windows: 2,
      records: 1_000,
      lateRecords: 50,
    });
    supervisor.readers.onCancel = 'report';
    await end(next);
  });

  test('a cancellation that arrives while the supervisor prepares to continue as new takes effect', async () => {
    supervisor.readers.onCancel = 'wait';
    const handle = await supervisor.harness.supervise({ historyMs: 1_000 });
    const { stream, settle } = await supervisor.readers.both();
    await until('settling is cancelled', () => settle.isCancelled || undefined);
    await handle.cancel();
    settle.complete('cancelled');
    await until('the stream is cancelled', () => stream.isCancelled || undefined);
    stream.complete('cancelled');
    await expectCancelled(handle);
    expect(supervisor.readers.calls).toHaveLength(2);
  });
});

describe('status', () => {
  test('shows the readers’ progress (connected since, lag, newest bucket) and current errors, in query and memo', async () => {
    const handle = await supervisor.harness.supervise();
    await supervisor.readers.call('stream');
    await handle.signal(progressSignal, {
      ...connected('stream'),
      lagSeconds: 2,
      newestBucket: '2026-01-31T08:10:00.000Z',
      edges: 7,
    });
    const memo = async () => (await handle.describe()).memo?.['state'];
    expect(
      await untilStatus(handle, 'the stream is connected', ({ stream }) => stream.state === 'connected'),
    ).toMatchObject({
      lagSeconds: 2,
      newestBucket: '2026-01-31T08:10:00.000Z',
      edges: 7,
      stream: { connectedSince: '2026-01-31T08:00:00.000Z' },
    });
    expect(await memo()).toBe('following');
    await handle.signal(progressSignal, failing('settle', 'the certificate is stale'));
    await untilStatus(
      handle,
      'the error is shown',
      ({ lastError }) => lastError === 'the certificate is stale',
    );
    expect(await memo()).toBe('failing: the certificate is stale');
    await handle.signal(progressSignal, connected('settle'));
    await untilStatus(handle, 'the error is gone', ({ lastError }) => lastError === undefined);
    expect(await memo()).toBe('following');
    await end(handle);
  });

  test('a signal that arrives with the first workflow task is handled', async () => {
    const handle = await supervisor.harness.superviseWithSignal(progressSignal.name, [
      failing('stream', 'no such host'),
    ]);
    await supervisor.readers.call('stream');
    const status = await untilStatus(
      handle,
      'the signal is handled',
      ({ stream }) => stream.state === 'failing',
    );
    expect(status.lastError).toBe('no such host');
    await end(handle);
  });

  test('a fresh window requested with the first workflow task begins both windows', async () => {
    const handle = await supervisor.harness.superviseWithSignal(freshWindowSignal.name, []);
    await supervisor.readers.call('stream');
    await supervisor.readers.call('settle');
    await end(handle);
  });
});
