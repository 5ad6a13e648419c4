import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Flow } from '../../dev/goldmane/flow.ts';
import { startSlack } from '../../dev/slack/stand-in.ts';
import { jobs, trailNames } from '../../src/config/temporal-names.ts';
import { readTrailId } from '../../src/trail/database/trail-id.ts';
import { flowTrail } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { bucketNow, expectComplete, untilMerged, untilReadBy } from '../support/faults.ts';
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

test('a worker with another database and the same names is rejected; the first continues, and the other starts once the names are free', async () => {
  world.traffic.start(world.goldmane);
  const first = await world.startWorker();
  await untilReady(first);
  await untilReadBy(first, world);
  const { runId } = await supervisorOf('');
  const second = await world.startWorker({ DATABASE_URL: other.url });
  const reason = await untilNotReady(second, /CLUSTER_NAME/);
  expect(reason).toMatch(/TEMPORAL_NAMESPACE/);
  expect(reason).toMatch(/DATABASE_URL/);
  await untilReadBy(first, world);
  await untilReady(first);
  const undisturbed = await supervisorOf('');
  expect(undisturbed.runId).toBe(runId);
  expect(undisturbed.memo?.['trailId']).toBe(await readTrailId(world.db.database.query));
  await expectComplete(world);
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

test('a worker of another cluster with this database is refused while a worker of this cluster is running, and starts afterwards', async () => {
  const far = await World.create();
  try {
    world.traffic.start(world.goldmane);
    far.traffic.start({ ingest: (flows) => far.goldmane.ingest(flows.map(inSouth)) });
    const own = await world.startWorker({ CLUSTER_NAME: 'north' });
    await untilReady(own);
    const shared = { DATABASE_URL: world.db.url, TEMPORAL_NAMESPACE: world.namespace };
    const wrong = await far.startWorker({ ...shared, CLUSTER_NAME: 'south' });
    const reason = await untilNotReady(wrong, /DATABASE_URL/);
    expect(reason).toContain(trailNames('north').supervisorId);
    // The names alone do not distinguish them: each cluster has its own Temporal namespace.
    const namesake = await far.startWorker({ DATABASE_URL: world.db.url, CLUSTER_NAME: 'north' });
    await untilNotReady(namesake, /DATABASE_URL/);
    await namesake.terminate();
    // A later version would migrate the database before it asks Temporal, and stop the workers of this cluster.
    await world.db.database.query("delete from flow_trail_migration where name >= '0047'");
    const later = await far.startWorker({ ...shared, CLUSTER_NAME: 'south' });
    expect(await untilNotReady(later, /DATABASE_URL/)).toContain(trailNames('north').supervisorId);
    await later.terminate();
    await world.db.database.query(
      `insert into flow_trail_migration (name, run_on) values ('0047_trail_claim', now())`,
    );
    const edges = await until('the own edges are stored', async () => {
      const { out } = await flowTrail(['edges', '--json'], world.workerEnv());
      return out.includes('srcNs') ? out : undefined;
    });
    expect(edges).not.toContain('south-');

    const asked = { ...world.workerEnv(), ...shared, CLUSTER_NAME: 'south' };
    for (const command of [['edges'], ['status'], ['allowlist', 'derive', 'immich']])
      expect(await flowTrail(command, asked)).toMatchObject({ code: 1, out: '' });
    const health = await flowTrail(['health', '--json'], asked);
    expect(health).toMatchObject({ code: 2 });
    expect(health.out).toContain(trailNames('north').supervisorId);
    const asNorth = {
      ...world.workerEnv(),
      DATABASE_URL_NORTH: world.db.url,
      DATABASE_URL_SOUTH: world.db.url,
    };
    expect(await flowTrail(['edges', '--cluster', 'north,south'], asNorth)).toMatchObject({ code: 1 });
    expect(await flowTrail(['edges', '--cluster', 'north'], asNorth)).toMatchObject({ code: 0 });

    await own.terminate();
    await untilReady(wrong);
    expect(await flowTrail(['edges'], asked)).toMatchObject({ code: 0 });
  } finally {
    await far.close();
  }
});

test('a worker whose database is replaced by that of another trail ends, and takes no work when it starts again', async () => {
  const first = await world.startWorker();
  await untilReady(first);
  await world.db.database.query('update trail_state set trail_id = gen_random_uuid()');
  expect((await first.process.exited).code).toBe(1);
  const again = await world.startWorker();
  await untilNotReady(again, /DATABASE_URL/);
});

test('a worker that lost its database to another cluster writes nothing more, and ends', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilMerged(world, bucketNow(world));
  const stored =
    "select bucket, streamed, settled, merged_at from bucket_ledger where streamed <> '' order by 1";
  const before = await world.db.database.transaction(async (query) => {
    // Waits for the worker's transactions, and makes new ones wait.
    await query('lock table worker_process in access exclusive mode');
    await query('update worker_process set supervisor = null, temporal_namespace = null');
    return query(stored);
  });
  expect((await worker.process.exited).code).toBe(1);
  expect(before.length).toBeGreaterThan(0);
  expect(await world.db.database.query(stored)).toEqual(before);
});

test('two clusters share one Temporal namespace and one database with separate schemas, without interference', async () => {
  const far = await World.create();
  const slack = await startSlack({ port: 0 });
  try {
    const schema = (name: string) => `${other.url}?options=-c%20search_path%3D${name}`;
    const [north, south] = [schema('north'), schema('south')];
    world.traffic.start(world.goldmane);
    far.traffic.start({ ingest: (flows) => far.goldmane.ingest(flows.map(inSouth)) });
    const shared = { SLACK_WEBHOOK_URL: slack.webhookUrl };
    const workers = [
      await world.startWorker({ ...shared, CLUSTER_NAME: 'north', DATABASE_URL: north }),
      await far.startWorker({
        ...shared,
        CLUSTER_NAME: 'south',
        DATABASE_URL: south,
        TEMPORAL_NAMESPACE: world.namespace,
      }),
    ];
    for (const worker of workers) await untilReady(worker);

    const ask = { ...world.workerEnv(), DATABASE_URL_NORTH: north, DATABASE_URL_SOUTH: south };
    const edges = await until('the edges of both clusters are stored', async () => {
      const { out } = await flowTrail(['edges', '--cluster', 'north,south', '--json'], ask);
      const rows: { cluster: string; srcNs: string }[] = JSON.parse(out);
      return ['north', 'south'].every((name) => rows.some(({ cluster }) => cluster === name))
        ? rows
        : undefined;
    });
    for (const { cluster, srcNs } of edges) expect(srcNs.startsWith('south-')).toBe(cluster === 'south');
    const { out } = await flowTrail(['edges', '--cluster', 'north,south'], ask);
    expect(out).toMatch(/^CLUSTER +FROM /);

    for (const [name, url] of Object.entries({ north, south })) {
      const digest = { ...world.workerEnv(), CLUSTER_NAME: name, DATABASE_URL: url };
      expect(await flowTrail(['run', 'digest'], digest)).toMatchObject({ code: 0 });
      const text = JSON.stringify(slack.messages.at(-1));
      expect(text).toContain(`[${name}]`);
      expect(text.includes('south-')).toBe(name === 'south');
    }
    for (const [index, name] of ['north', 'south'].entries()) {
      const lines = (await workers[index]?.metrics('flow_trail_')) ?? [];
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.every((line) => line.includes(`cluster="${name}"`))).toBe(true);
    }

    // A worker with the names of one cluster and the database of the other, and a run for one on the other's task queue.
    const crossed = { ...world.workerEnv(), CLUSTER_NAME: 'north', DATABASE_URL: south };
    const refused = await flowTrail(['run', 'housekeeping'], crossed);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain(trailNames('north').supervisorId);
    const { memo } = await supervisorOf('south');
    const misdirected: unknown = await world.temporal((client) =>
      client.workflow
        .execute(jobs.housekeeping.workflowType, {
          workflowId: 'misdirected',
          taskQueue: trailNames('north').taskQueue,
          args: [],
          memo: { trailId: memo?.['trailId'] },
        })
        .catch((error: unknown) => innermost(error)),
    );
    expect(misdirected).toMatchObject({ type: 'temporal_wrong_trail', nonRetryable: true });
  } finally {
    await slack.stop();
    await far.close();
  }
});

test('a second supervisor started by hand fails, and the trail continues', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  const failure: unknown = await world.temporal((client) =>
    client.workflow
      .execute('superviseTrail', {
        workflowId: 'by-hand',
        taskQueue: trailNames('').taskQueue,
        args: [],
      })
      .catch((error: unknown) => innermost(error)),
  );
  expect(failure).toMatchObject({ type: 'temporal_second_supervisor', nonRetryable: true });
  await untilReadBy(worker, world);
  await expectComplete(world);
});

/** The same flow with the namespace names of the other cluster. */
function inSouth(flow: Flow): Flow {
  const { srcNamespace, dstNamespace } = flow;
  return {
    ...flow,
    ...(srcNamespace ? { srcNamespace: `south-${srcNamespace}` } : {}),
    ...(dstNamespace ? { dstNamespace: `south-${dstNamespace}` } : {}),
  };
}

function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}
