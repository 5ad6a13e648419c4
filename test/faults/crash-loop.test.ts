import { expect, test } from 'vitest';
import { jobs } from '../../src/config/temporal-names.ts';
import { flowTrail } from '../support/cli.ts';
import { metric, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { readyz, untilReady } from '../support/readyz.ts';
import { createWorld, type World } from '../support/world.ts';

const freshness = (world: World) =>
  world.temporal(async (client) => {
    const results: unknown[] = [];
    for await (const run of client.workflow.list({ query: "ExecutionStatus = 'Completed'" }))
      if (run.type === jobs.freshness.workflowType)
        results.push(await client.workflow.getHandle(run.workflowId, run.runId).result());
    return results;
  });

test('if workers are killed whenever their readers start, the freshness job still runs, and the crashes are reported everywhere', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  for (let crash = 0; crash < 3; crash += 1) {
    const worker = await world.startWorker();
    await untilLogged(worker, 'The stream is open');
    await worker.kill();
  }
  // Each process here has a different identity, so a killed one counts only when its row is old.
  const { query } = world.db.database;
  await query("update worker_process set seen_at = now() - interval '1 minute'");

  const worker = await world.startWorker();
  await untilLogged(worker, 'the readers start later');
  await world.temporal((client) => client.schedule.getHandle(jobs.freshness.scheduleId).trigger());
  await until('the freshness job reports the crashes', async () =>
    (await freshness(world)).find((result) => JSON.stringify(result).includes('ended unexpectedly')),
  );
  await until('the alert is printed', () =>
    worker.lines.find(
      (line) => line.includes('flow-trail · freshness') && line.includes('ended unexpectedly'),
    ),
  );
  await until('the metric counts the crashes', async () =>
    (await metric(worker, 'flow_trail_worker_crashes')) === 3 ? true : undefined,
  );
  const health = await flowTrail(['health'], world.workerEnv());
  expect(health.code).not.toBe(0);
  expect(health.out).toContain('ended unexpectedly');

  // The readers start after the delay, and the worker becomes ready.
  await untilLogged(worker, 'The stream is open');
  await untilReady(worker);
  expect((await readyz(worker)).ok).toBe(true);
  expect(await worker.terminate()).toBe(0);
  expect(await query('select from worker_process')).toHaveLength(3);
});
