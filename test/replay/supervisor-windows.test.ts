import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { freshWindowSignal } from '../../src/workflows/messages.ts';
import { until } from '../support/poll.ts';
import { end, untilStatus } from './supervisor-checks.ts';
import { useSupervisor } from './use-supervisor.ts';

const supervisor = useSupervisor();

describe('windows', () => {
  test('both readers run concurrently, window after window, and their summaries are added up', async () => {
    const handle = await supervisor.harness.supervise({ windowMs: 123_000 });
    (await supervisor.readers.call('stream')).complete();
    (await supervisor.readers.call('settle')).complete();
    (await supervisor.readers.call('stream', 2)).complete();
    await supervisor.readers.call('stream', 3);
    await supervisor.readers.call('settle', 2);
    expect(supervisor.readers.calls.map(({ input }) => input)).toEqual(
      Array.from({ length: 5 }, () => ({ windowMs: 123_000 })),
    );
    const status = await untilStatus(handle, 'three windows are counted', ({ windows }) => windows === 3);
    expect(status).toMatchObject({
      records: 2_000,
      lateRecords: 50,
      newEdges: 5,
      newestBucket: '2026-01-31T08:14:30.000Z',
      settledUpTo: '2026-01-31T08:09:00.000Z',
      stream: { lastWindow: { reader: 'stream', records: 1_000 } },
      settle: { lastWindow: { reader: 'settle', lists: 120 } },
    });
    await end(handle);
  });

  test.each(['stream', 'settle'] as const)(
    'the other reader continues while %s fails and is retried',
    async (failed) => {
      const other = failed === 'stream' ? 'settle' : 'stream';
      const handle = await supervisor.harness.supervise();
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const call = await supervisor.readers.call(failed, attempt);
        expect(call.attempt).toBe(attempt);
        call.fail(ApplicationFailure.create({ type: 'goldmane_timeout', message: 'no answer' }));
        (await supervisor.readers.call(other, attempt)).complete();
      }
      const recovered = await supervisor.readers.call(failed, 4);
      recovered.complete();
      await supervisor.readers.call(failed, 5);
      expect((await supervisor.readers.call(failed, 5)).attempt).toBe(1);
      await untilStatus(handle, 'all four windows are counted', ({ windows }) => windows === 4);
      await end(handle);
    },
  );

  test('a reader whose retries were ended by hand begins a new window, and its error is shown', async () => {
    const handle = await supervisor.harness.supervise();
    await supervisor.readers.call('settle');
    (await supervisor.readers.call('stream')).fail(ApplicationFailure.nonRetryable('ended by hand'));
    await untilStatus(handle, 'the error is shown', ({ lastError }) => lastError === 'ended by hand');
    // A retry of the lost activity, as on a slow machine, would be another attempt of it.
    await until('the next window streams', () =>
      supervisor.readers
        .of('stream')
        .slice(1)
        .find(({ attempt }) => attempt === 1),
    );
    expect(supervisor.readers.of('settle')).toHaveLength(1);
    await end(handle);
  });

  test('a fresh window ends both windows and begins new ones', async () => {
    const handle = await supervisor.harness.supervise();
    const former = [await supervisor.readers.call('stream'), await supervisor.readers.call('settle')];
    await handle.signal(freshWindowSignal);
    await supervisor.readers.call('stream', 2);
    await supervisor.readers.call('settle', 2);
    expect(former.map(({ isCancelled }) => isCancelled)).toEqual([true, true]);
    const { windows } = await untilStatus(handle, 'both are counted', (status) => status.windows === 2);
    expect(windows).toBe(2);
    expect(supervisor.readers.calls).toHaveLength(4);
    await end(handle);
  });

  test('a second fresh window during the first one begins two further windows', async () => {
    supervisor.readers.onCancel = 'wait';
    const handle = await supervisor.harness.supervise();
    const { stream, settle } = await supervisor.readers.both();
    await handle.signal(freshWindowSignal);
    await until('the stream is cancelled', () => stream.isCancelled || undefined);
    stream.complete('cancelled');
    const second = await supervisor.readers.call('stream', 2);
    await handle.signal(freshWindowSignal);
    await until('the second stream is cancelled', () => second.isCancelled || undefined);
    second.complete('cancelled');
    settle.complete('cancelled');
    const following = [
      await supervisor.readers.call('stream', 3),
      await supervisor.readers.call('settle', 2),
    ];
    await untilStatus(handle, 'three windows have ended', ({ windows }) => windows === 3);
    expect(following.map(({ isCancelled }) => isCancelled)).toEqual([false, false]);
    supervisor.readers.onCancel = 'report';
    await end(handle);
  });

  test('a window that fails during its cancellation, as during a database outage, does not end the supervisor', async () => {
    supervisor.readers.onCancel = 'wait';
    const handle = await supervisor.harness.supervise();
    const { stream, settle } = await supervisor.readers.both();
    await handle.signal(freshWindowSignal);
    await until('both are cancelled', () => (stream.isCancelled && settle.isCancelled) || undefined);
    stream.fail(ApplicationFailure.create({ type: 'database_lost', message: 'the database is away' }));
    settle.complete('cancelled');
    await supervisor.readers.call('stream', 2);
    await supervisor.readers.call('settle', 2);
    supervisor.readers.onCancel = 'report';
    await end(handle);
  });

  test('a window whose worker is lost during its cancellation does not end the supervisor', async () => {
    supervisor.readers.onCancel = 'wait';
    const handle = await supervisor.harness.supervise();
    const lost = await supervisor.readers.call('stream');
    lost.isBeating = false;
    await supervisor.readers.call('settle');
    supervisor.readers.onCancel = 'report';
    await handle.signal(freshWindowSignal);
    await supervisor.readers.call('settle', 2);
    expect(lost.isCancelled).toBe(false);
    // A retry of the lost activity, as on a slow machine, would be another attempt of it.
    await until('the next window streams', () =>
      supervisor.readers
        .of('stream')
        .slice(1)
        .find(({ attempt }) => attempt === 1),
    );
    await end(handle);
  });
});
