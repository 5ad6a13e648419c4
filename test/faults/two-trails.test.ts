import { afterEach, beforeEach, expect, test } from 'vitest';
import { jobs, trailNames } from '../../src/config/names.ts';
import { readTrailId } from '../../src/trail/trail-id.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { expectWhole, untilFollowedBy } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { untilNotReady, untilReady } from '../support/readyz.ts';
import { World } from '../support/world.ts';

let world: World;
let other: TestDatabase;

beforeEach(async () => {
  world = await World.create();
  other = await createTestDatabase();
});
afterEach(async () => {
  await world.close();
  await other.drop();
});

const supervisorOf = (clusterName: string) =>
  world.temporal((client) => client.workflow.getHandle(trailNames(clusterName).supervisorId).describe());

test('a second database under the same names is refused, the first continues, and the second starts once they are free', async () => {
  world.traffic.start(world.goldmane);
  const first = await world.startWorker();
  await untilReady(first);
  await untilFollowedBy(first, world);
  const { runId } = await supervisorOf('');
  const second = await world.startWorker({ DATABASE_URL: other.url });
  const reason = await untilNotReady(second, /CLUSTER_NAME/);
  expect(reason).toMatch(/TEMPORAL_NAMESPACE/);
  expect(reason).toMatch(/DATABASE_URL/);
  await untilFollowedBy(first, world);
  await untilReady(first);
  const undisturbed = await supervisorOf('');
  expect(undisturbed.runId).toBe(runId);
  expect(undisturbed.memo?.['trailId']).toBe(await readTrailId(world.db.database.query));
  await expectWhole(world);
  expect(await other.database.query('select from edge')).toHaveLength(0);

  await first.terminate();
  await world.temporal(async (client) => {
    await client.workflow.getHandle(trailNames('').supervisorId).terminate('a test');
    for (const scheduleId of Object.values(trailNames('').scheduleIds))
      await client.schedule.getHandle(scheduleId).delete();
  });
  await untilReady(second);
  expect((await supervisorOf('')).memo?.['trailId']).toBe(await readTrailId(other.database.query));
});

test('two clusters with a name each run in one Temporal namespace', async () => {
  world.traffic.start(world.goldmane);
  const north = await world.startWorker({ CLUSTER_NAME: 'north' });
  const south = await world.startWorker({ CLUSTER_NAME: 'south', DATABASE_URL: other.url });
  await untilReady(north);
  await untilReady(south);
  for (const { query } of [world.db.database, other.database])
    await until('edges are stored', async () =>
      (await query('select from edge')).length > 0 ? true : undefined,
    );
  expect((await supervisorOf('north')).memo?.['trailId']).toBe(await readTrailId(world.db.database.query));
  expect((await supervisorOf('south')).memo?.['trailId']).toBe(await readTrailId(other.database.query));

  // A run that carries the id of the south, on the queue of the north.
  const trailId = await readTrailId(other.database.query);
  const misdirected: unknown = await world.temporal((client) =>
    client.workflow
      .execute(jobs.housekeeping.workflowType, {
        workflowId: 'misdirected',
        taskQueue: trailNames('north').taskQueue,
        args: [],
        memo: { trailId },
      })
      .catch((error: unknown) => innermost(error)),
  );
  expect(misdirected).toMatchObject({ type: 'temporal_wrong_trail', nonRetryable: true });
  expect((await north.metrics('flow_trail_')).every((line) => line.includes('cluster="north"'))).toBe(true);
});

function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}
