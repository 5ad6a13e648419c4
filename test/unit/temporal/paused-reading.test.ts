import type { WorkflowExecutionDescription } from '@temporalio/client';
import { expect, test } from 'vitest';
import { pausedReading } from '../../../src/temporal/paused-reading.ts';

type Described = Parameters<typeof pausedReading>[0];
type Status = WorkflowExecutionDescription['status']['name'];

function describe(state: Status, given: { memo?: Described['memo']; paused?: boolean } = {}): Described {
  return {
    status: { name: state, code: 1 },
    workflowId: 'flow-trail/supervisor',
    memo: given.memo ?? {},
    raw: {
      pendingActivities: [
        { activityId: '7', activityType: { name: 'streamFlows' }, paused: given.paused ?? false },
      ],
    },
  };
}

test('nothing is paused while the supervisor and both readers run, or after the supervisor has ended', () => {
  expect(pausedReading(describe('RUNNING'))).toBeUndefined();
  const memo = { paused: { since: '2026-01-31T08:00:00.000Z' } };
  expect(pausedReading(describe('TERMINATED', { memo, paused: true }))).toBeUndefined();
});

test('each way to pause is named with the command that ends it', () => {
  const memo = { paused: { since: '2026-01-31T08:00:00.000Z', reason: 'an upgrade of Goldmane' } };
  const bySignal = pausedReading(describe('RUNNING', { memo }));
  expect(bySignal).toMatchObject({ system: 'temporal', kind: 'paused' });
  expect(bySignal?.what).toContain('an upgrade of Goldmane');
  expect(bySignal?.cure).toContain('--name resume');
  expect(pausedReading(describe('PAUSED'))?.cure).toContain('temporal workflow unpause');
  const activity = pausedReading(describe('RUNNING', { paused: true }));
  expect(activity?.what).toContain('streamFlows');
  expect(activity?.cure).toContain('--activity-id 7');
});

test('a memo of any other shape is ignored', () => {
  for (const paused of ['yes', 7, null, {}, { since: 7 }, []])
    expect(pausedReading(describe('RUNNING', { memo: { paused } }))).toBeUndefined();
});
