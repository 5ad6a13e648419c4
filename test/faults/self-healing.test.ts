import { beforeEach, expect, test } from 'vitest';
import { jobs, supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import type { TemporalServer } from '../../dev/temporal/server.ts';
import { Aggregator } from '../support/aggregator.ts';
import { flowTrail } from '../support/cli.ts';
import { expectComplete, metric, untilReadBy, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { readyz, untilNotReady, untilReady } from '../support/readyz.ts';
import { expectVerified } from '../support/verify.ts';
import { untilConnected } from '../support/failure-places.ts';
import { createNamespace, createWorld, type World } from '../support/world.ts';
import { temporalOfTest } from '../support/servers-of-test.ts';

let temporal: TemporalServer;
let world: World;

beforeEach(async () => {
  temporal = await temporalOfTest();
  world = await createWorld({ temporalAddress: temporal.address });
});

const supervisor = <Result>(ask: (handle: SupervisorHandle) => Promise<Result>) =>
  world.temporal((client) => ask(client.workflow.getHandle(supervisorWorkflowId)));
type SupervisorHandle = ReturnType<Parameters<Parameters<World['temporal']>[0]>[0]['workflow']['getHandle']>;

const untilReadersEnded = () =>
  until('both readers have ended', async () => {
    const { raw } = await supervisor((handle) => handle.describe());
    return (raw.pendingActivities ?? []).length === 0 ? true : undefined;
  });

const status = async () => {
  const { code, out, err } = await flowTrail(['status', '--json'], world.workerEnv());
  return { code, text: out + err };
};

test('a terminated or cancelled supervisor and a deleted schedule are recreated, logged and counted', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReady(worker);
  await untilReadBy(worker, world);
  await untilConnected(world);
  await until('status is good', async () => ((await status()).code === 0 ? true : undefined));
  expect(await metric(worker, 'flow_trail_recreated_total')).toBe(0);

  await supervisor((handle) => handle.terminate('a test'));
  await untilLogged(worker, 'The supervisor was missing and was restarted');
  await untilReadBy(worker, world);
  await supervisor((handle) => handle.cancel());
  await until('the counter shows both', async () =>
    (await metric(worker, 'flow_trail_recreated_total', { what: 'supervisor' })) === 2 ? true : undefined,
  );
  await untilReadBy(worker, world);
  await untilReady(worker);

  await world.temporal((client) => client.schedule.getHandle(jobs.digest.scheduleId).delete());
  await untilLogged(worker, 'A schedule was missing and was recreated');
  const { state } = await world.temporal((client) =>
    client.schedule.getHandle(jobs.digest.scheduleId).describe(),
  );
  expect(state.paused).toBe(false);
  expect(await metric(worker, 'flow_trail_recreated_total', { what: 'schedule' })).toBe(1);
  expect(await metric(worker, 'flow_trail_supervisor_running')).toBe(1);
  await expectComplete(world);
});

test('a paused trail stays paused when its supervisor is terminated, and continues on resume', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  await supervisor((handle) => handle.signal('pause', 'maintenance of Goldmane'));
  await untilReadersEnded();
  const { memo, runId } = await supervisor((handle) => handle.describe());
  expect(memo).toMatchObject({
    state: 'paused: maintenance of Goldmane',
    paused: { reason: 'maintenance of Goldmane' },
  });
  const paused = await status();
  expect(paused.code).toBe(3);
  expect(paused.text).toContain('maintenance of Goldmane');
  expect((await readyz(worker)).ok).toBe(true);
  // The cause of the gap that a long pause leaves.
  await until('the pause is recorded', async () => {
    const [row] = await world.db.database.query<{ trouble: string | null }>(
      'select trouble from trail_state',
    );
    return row?.trouble?.includes('maintenance of Goldmane') === true ? true : undefined;
  });
  const { out: health } = await flowTrail(['health'], world.workerEnv());
  expect(health).toMatch(/^WARN +supervisor .*maintenance of Goldmane/m);

  await supervisor((handle) => handle.terminate('a test'));
  await until('another supervisor runs', async () => {
    const next = await supervisor((handle) => handle.describe());
    return next.status.name === 'RUNNING' && next.runId !== runId ? true : undefined;
  });
  const restarted = await world.supervisor<{ paused?: { reason: string } }>('status');
  expect(restarted.paused?.reason).toBe('maintenance of Goldmane');
  await supervisor((handle) => handle.signal('resume'));
  await untilReadBy(worker, world);
  await untilConnected(world);
  const { memo: resumed } = await supervisor((handle) => handle.describe());
  expect(resumed?.['paused']).toBeUndefined();
});

test('what another program counts while the readers are paused is adopted on resume, and not counted again', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  await supervisor((handle) => handle.signal('pause', 'the aggregator runs'));
  await untilReadersEnded();
  const { database } = world.db;
  const aggregator = new Aggregator(database);
  await aggregator.start();
  const nowSeconds = () => world.clock.now() / 1_000;
  const buckets: number[] = [];
  while (buckets.length < 16) {
    const startSeconds = Math.floor(nowSeconds() / 15) * 15;
    if (startSeconds !== buckets.at(-1)) {
      buckets.push(startSeconds);
      for (const srcName of ['one', 'two', 'three']) {
        world.goldmane.ingest([{ startSeconds, srcName, srcNamespace: 'a', dstNamespace: 'b' }]);
        await aggregator.count({ dstNs: 'b', startSeconds });
      }
    }
    await world.clock.sleep(3_000);
  }
  const [first = 0, last = 0] = [buckets[0], buckets.at(-1)];
  await supervisor((handle) => handle.signal('resume'));
  await until('the time of the aggregator is settled', async () => {
    const rows = await database.query(
      `select from bucket_ledger where settled_at is not null and settled <> ''
       and bucket between to_timestamp($1) and to_timestamp($2)`,
      [first, last],
    );
    return rows.length >= buckets.length || undefined;
  });
  const [edge] = await database.query<{ n: number }>(
    `select flow_count::int as n from edge where src_ns = 'a' and dst_ns = 'b'`,
  );
  expect(edge?.n).toBe(3 * buckets.length);
  expect(await database.query('select edges::int from adoption')).toHaveLength(1);
  await expectVerified(database);
});

test('after Temporal lost its database, /readyz names the missing namespace until it exists, and the trail continues', async () => {
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilReadBy(worker, world);
  await untilReady(worker);
  const port = Number(temporal.address.split(':').at(-1));
  await temporal.kill();
  expect((await status()).code).toBe(1);
  temporal = await temporalOfTest({ port });
  await untilNotReady(worker, new RegExp(`no namespace ${world.namespace}`));
  expect((await status()).code).toBe(1);
  await createNamespace(world.namespace, temporal.address);
  await untilReady(worker);
  await untilReadBy(worker, world);
  await untilConnected(world);
  for (const { scheduleId } of Object.values(jobs))
    await world.temporal((client) => client.schedule.getHandle(scheduleId).describe());
  await expectComplete(world);
});
