import type { temporal } from '@temporalio/proto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jobs, supervisorWorkflowId } from '../../src/config/names.ts';
import { untilFollowedBy } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { billedActions } from '../support/temporal-actions.ts';
import { World } from '../support/world.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world.close());

const eventsOf = (workflowId: string) =>
  world.temporal(async (client) => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return events ?? [];
  });

/** The events from the second window of the stream to its third. */
function secondWindow(events: readonly HistoryEvent[]): readonly HistoryEvent[] | undefined {
  const starts = events.flatMap((event, index) =>
    event.activityTaskScheduledEventAttributes?.activityType?.name === 'streamFlows' ? [index] : [],
  );
  const [, from, to] = starts;
  return from === undefined || to === undefined ? undefined : events.slice(from, to);
}

test('a window without faults takes one activity of each reader and at most six signals, and nothing else that is billed', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilFollowedBy(worker, world);
  const events = await until('two windows have ended', async () =>
    secondWindow(await eventsOf(supervisorWorkflowId)),
  );
  const { signals, activities, ...others } = billedActions(events);
  expect(signals).toBeLessThanOrEqual(6);
  // The stream's window, and settling's, which may start twice within it: at its beginning and just before its end.
  expect(activities).toBeLessThanOrEqual(3);
  expect(others).toEqual({
    workflows: 0,
    retries: 0,
    timers: 0,
    markers: 0,
    searchAttributes: 0,
  });

  // A scheduled run of the watchdog, which is the job that runs most often.
  const workflowId = await until('the watchdog has run', () =>
    world.temporal(async (client) => {
      await client.schedule.getHandle(jobs.freshness.scheduleId).trigger();
      const { info } = await client.schedule.getHandle(jobs.freshness.scheduleId).describe();
      const run = info.recentActions.at(-1);
      return run?.action.type === 'startWorkflow' ? run.action.workflow.workflowId : undefined;
    }),
  );
  await world.temporal((client) =>
    client.workflow
      .getHandle(workflowId)
      .result()
      .catch(() => undefined),
  );
  const run = billedActions(await eventsOf(workflowId));
  expect(run.workflows).toBe(3);
  expect(run.activities + run.retries).toBeLessThanOrEqual(2);
});
