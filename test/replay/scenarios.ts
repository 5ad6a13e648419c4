import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { freshWindowSignal, progressSignal, statusQuery } from '../../src/workflows/messages.ts';
import { until } from '../support/poll.ts';
import type { SupervisorHarness } from './supervisor-harness.ts';
import { connected, failing } from './summaries.ts';

export interface Scenario {
  /** Name of the file under histories/. */
  name: string;
  /** Runs the scenario. The history of the returned execution, closed or not, is saved. */
  run(harness: SupervisorHarness): Promise<WorkflowHandle>;
}

/** The shapes of history of the supervisor. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'windows',
    async run(harness) {
      const { readers } = harness;
      const handle = await harness.supervise();
      for (let n = 1; n <= 3; n += 1) {
        const { stream, settle } = await readers.both(n);
        await handle.signal(progressSignal, connected('stream'));
        await handle.signal(progressSignal, connected('settle'));
        stream.complete();
        settle.complete();
        await untilWindows(handle, 2 * n);
      }
      await readers.both(4);
      return handle;
    },
  },
  {
    name: 'fresh-window',
    async run(harness) {
      const { readers } = harness;
      const handle = await harness.supervise();
      await readers.both();
      await handle.signal(freshWindowSignal);
      await readers.both(2);
      readers.onCancel = 'cancelled';
      await handle.signal(freshWindowSignal);
      await readers.both(3);
      return handle;
    },
  },
  {
    name: 'failures',
    async run(harness) {
      const { readers } = harness;
      const handle = await harness.supervise();
      await handle.signal(progressSignal, failing('stream', 'stale certificate'));
      for (let n = 1; n <= 3; n += 1)
        (await readers.call('stream', n)).fail(
          ApplicationFailure.create({
            type: 'goldmane_certificate_refused',
            message: 'stale certificate',
          }),
        );
      const recovered = await readers.call('stream', 4);
      await handle.signal(progressSignal, connected('stream'));
      recovered.complete();
      await untilWindows(handle, 1);
      (await readers.call('stream', 5)).fail(ApplicationFailure.nonRetryable('ended by hand'));
      await readers.call('stream', 6);
      return handle;
    },
  },
  {
    name: 'failure-while-ended',
    async run(harness) {
      const { readers } = harness;
      readers.onCancel = 'wait';
      const handle = await harness.supervise();
      const { stream, settle } = await readers.both();
      await handle.signal(freshWindowSignal);
      await until('both are cancelled', () => (stream.isCancelled && settle.isCancelled) || undefined);
      stream.fail(ApplicationFailure.create({ type: 'database_lost', message: 'the database is away' }));
      settle.complete('cancelled');
      await readers.both(2);
      return handle;
    },
  },
  {
    name: 'continued-as-new',
    async run(harness) {
      const { readers } = harness;
      const { workflowId, firstExecutionRunId } = await harness.supervise({ historyMs: 1_000 });
      await readers.both(2);
      return harness.client.workflow.getHandle(workflowId, firstExecutionRunId);
    },
  },
  {
    name: 'new-history',
    async run(harness) {
      const { readers } = harness;
      const { workflowId, firstExecutionRunId } = await harness.supervise({ historyMs: 3_000 });
      await readers.both();
      const { stream, settle } = await readers.both(2);
      const latest = await harness.client.workflow.getHandle(workflowId).describe();
      if (latest.runId === firstExecutionRunId) throw new Error('the supervisor has not continued as new');
      stream.complete();
      settle.complete();
      await readers.both(3);
      return harness.client.workflow.getHandle(workflowId, latest.runId);
    },
  },
  {
    name: 'cancelled',
    async run(harness) {
      const { readers } = harness;
      const handle = await harness.supervise();
      const { stream } = await readers.both();
      stream.complete();
      await readers.call('stream', 2);
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
];

function untilWindows(handle: WorkflowHandle, windows: number): Promise<true> {
  return until(`${windows} windows have ended`, async () => {
    const status = await handle.query(statusQuery);
    return status.windows === windows || undefined;
  });
}
