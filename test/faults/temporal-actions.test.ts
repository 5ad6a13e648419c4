import type { temporal } from '@temporalio/proto';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { jobs, supervisorWorkflowId, trailNames } from '../../src/config/temporal-names.ts';
import { untilReadBy } from '../support/faults.ts';
import { startLogReceiver } from '../support/log-receiver.ts';
import { until } from '../support/poll.ts';
import { billedActions } from '../support/temporal-actions.ts';
import { createWorld, type World } from '../support/world.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});

const eventsOf = (workflowId: string) =>
  world.temporal(async (client) => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return events ?? [];
  });

/** The events of the second window of the stream. */
function secondWindow(events: readonly HistoryEvent[]): readonly HistoryEvent[] | undefined {
  const starts = events.flatMap((event, index) =>
    event.activityTaskScheduledEventAttributes?.activityType?.name === 'streamFlows' ? [index] : [],
  );
  const [, from, to] = starts;
  return from === undefined || to === undefined ? undefined : events.slice(from, to);
}

/** The times at which the server received heartbeats of the export, and their time-out, in milliseconds. */
async function heartbeatsOfExport(count: number): Promise<{ times: number[]; timeoutMs: number }> {
  const { exportId } = trailNames('');
  const times = new Set<number>();
  await until(`${count} heartbeats of the export`, () =>
    world.temporal(async (client) => {
      const { raw } = await client.workflow.getHandle(exportId).describe();
      const { seconds, nanos } = raw.pendingActivities?.[0]?.lastHeartbeatTime ?? {};
      if (seconds) times.add(Number(seconds) * 1_000 + Math.round((nanos ?? 0) / 1e6));
      return times.size >= count || undefined;
    }),
  );
  const scheduled = (await eventsOf(exportId)).find((event) => event.activityTaskScheduledEventAttributes);
  const timeout = scheduled?.activityTaskScheduledEventAttributes?.heartbeatTimeout?.seconds;
  return { times: [...times].toSorted((a, b) => a - b), timeoutMs: 1_000 * Number(timeout) };
}

test('the export sends a heartbeat after four fifths of its time-out, regardless of failures of its receiver, and no signals', async () => {
  world.traffic.start(world.goldmane);
  const receiver = await startLogReceiver();
  onTestFinished(() => receiver.close());
  // Rounds succeed and fail alternately, and each changes the heartbeat's content.
  receiver.react = (_logs, response) => {
    if (receiver.requests.length % 2 === 0) return undefined;
    response.writeHead(503).end();
    return 'answered';
  };
  await world.startWorker({ OTLP_LOGS_ENDPOINT: receiver.url });
  await until('records arrive', () => receiver.accepted.length > 0 || undefined);
  const { times, timeoutMs } = await heartbeatsOfExport(4);
  // The first heartbeat may be sent immediately.
  const gaps = times.slice(2).map((time, index) => time - (times[index + 1] ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThan(0.75 * timeoutMs);
  const actions = billedActions(await eventsOf(trailNames('').exportId));
  expect(actions).toMatchObject({ workflows: 1, activities: 1, signals: 0, timers: 0, markers: 0 });
});

test('a window without faults is billed for one activity per window of each reader and at most six signals', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  const events = await until('two windows have ended', async () =>
    secondWindow(await eventsOf(supervisorWorkflowId)),
  );
  const { signals, activities, ...others } = billedActions(events);
  expect(signals).toBeLessThanOrEqual(6);
  // The stream's window, and one or two of settling's: at its beginning and possibly just before its end.
  expect(activities).toBeLessThanOrEqual(3);
  expect(others).toEqual({
    workflows: 0,
    retries: 0,
    timers: 0,
    markers: 0,
    searchAttributes: 0,
  });

  // A scheduled run of `freshness`, the most frequent job.
  const workflowId = await until('the freshness job has run', () =>
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
