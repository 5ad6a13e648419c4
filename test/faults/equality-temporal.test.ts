import { beforeEach, expect, test } from 'vitest';
import type { TemporalServer } from '../../dev/temporal/server.ts';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import {
  bucketNow,
  expectComplete,
  metric,
  untilReadBy,
  untilMerged,
  untilStreaming,
} from '../support/faults.ts';
import { until } from '../support/poll.ts';
import type { TrailStatus } from '../../src/workflows/status.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';
import { temporalOfTest } from '../support/servers-of-test.ts';

let world: World;
let temporal: TemporalServer;
beforeEach(async () => {
  temporal = await temporalOfTest();
  world = await createWorld({ temporalAddress: temporal.address });
  world.traffic.start(world.goldmane);
});

test('the trail continues without Temporal after kill -9, and the same supervisor continues after its restart', async () => {
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  const before = await supervisorRun();
  await untilStreaming(worker, world);

  const { pid } = temporal;
  await temporal.kill();
  // Running activities continue: they need Temporal only for supervision.
  await untilMerged(world, bucketNow(world));
  // Longer than the heartbeat timeout.
  await world.pass(250);
  await temporal.start();
  expect(temporal.pid).not.toBe(pid);
  // The same supervisor still runs, and its readers receive its cancellation.
  const { windows } = await until('the supervisor answers', () => world.supervisor<TrailStatus>('status'));
  await world.temporal((client) => client.workflow.getHandle(supervisorWorkflowId).signal('freshWindow'));
  await until('both windows ended', async () =>
    (await world.supervisor<TrailStatus>('status')).windows >= windows + 2 ? true : undefined,
  );
  await untilReadBy(worker, world);
  expect(await supervisorRun()).toBe(before);
  await untilMerged(world, bucketNow(world));
  await until('one stream is open', () => (world.goldmane.stats().streams === 1 ? true : undefined));
  await expectComplete(world);
  expect(await metric(worker, 'flow_trail_merges_total', { reader: 'settle' })).toBeGreaterThan(0);
});

fullTest('after Temporal and the worker are killed with -9 and restarted, nothing is missing', async () => {
  const first = await world.startWorker();
  await untilReadBy(first, world);
  const before = await supervisorRun();
  await untilStreaming(first, world);
  await Promise.all([temporal.kill(), first.kill()]);
  // The worker waits for Temporal to start.
  const second = await world.startWorker();
  await until('the worker waits for Temporal', () =>
    second.messages().find((line) => /^Waiting for a dependency.*Temporal/.test(line)),
  );
  await temporal.start();
  await untilReadBy(second, world, 2);
  expect(await supervisorRun()).toBe(before);
  await expectComplete(world);
});

function supervisorRun(): Promise<string> {
  return world.temporal(async (client) => {
    const { runId } = await client.workflow.getHandle(supervisorWorkflowId).describe();
    return runId;
  });
}
