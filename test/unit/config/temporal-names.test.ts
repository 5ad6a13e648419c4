import { expect, test } from 'vitest';
import { isConfigFailure } from '../../../src/config/config-failure.ts';
import { loadTrailNames } from '../../../src/config/cluster-config.ts';
import { jobNames, jobs, supervisorWorkflowId } from '../../../src/config/temporal-names.ts';

test('without CLUSTER_NAME the names are those of a single trail', () => {
  const names = loadTrailNames({});
  expect(names.supervisorId).toBe(supervisorWorkflowId);
  expect(names.taskQueue).toBe('flow-trail');
  for (const job of jobNames) expect(names.scheduleIds[job]).toBe(jobs[job].scheduleId);
});

test('CLUSTER_NAME is in every id and in the task queue', () => {
  expect(loadTrailNames({ CLUSTER_NAME: ' homelab ' })).toEqual({
    supervisorId: 'flow-trail/homelab/supervisor',
    exportId: 'flow-trail/homelab/export',
    taskQueue: 'flow-trail-homelab',
    scheduleIds: {
      digest: 'flow-trail/homelab/daily-digest',
      certificates: 'flow-trail/homelab/cert-freshness',
      completeness: 'flow-trail/homelab/allowlist-completeness',
      freshness: 'flow-trail/homelab/freshness-watchdog',
      housekeeping: 'flow-trail/homelab/housekeeping',
    },
  });
});

test('TEMPORAL_TASK_QUEUE replaces the task queue only', () => {
  const names = loadTrailNames({ CLUSTER_NAME: 'b', TEMPORAL_TASK_QUEUE: 'mine' });
  expect(names.taskQueue).toBe('mine');
  expect(names.supervisorId).toBe('flow-trail/b/supervisor');
});

test.each(['Home', 'a_b', '-a', 'a-', 'a/b', 'a b', '*', 'a'.repeat(41), 'a\nb', '☃'])(
  'CLUSTER_NAME %j is rejected',
  (CLUSTER_NAME) => {
    try {
      loadTrailNames({ CLUSTER_NAME });
      expect.unreachable();
    } catch (error) {
      if (!isConfigFailure(error)) throw error;
      expect(error.problems).toEqual([expect.stringMatching(/^CLUSTER_NAME /)]);
    }
  },
);
