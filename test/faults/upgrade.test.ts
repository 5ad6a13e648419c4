import { beforeEach, expect, test } from 'vitest';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import { expectComplete, metric, untilReadBy, untilLogged } from '../support/faults.ts';
import { fullTest } from '../support/full.ts';
import { until } from '../support/poll.ts';
import { untilReady } from '../support/readyz.ts';
import { makeRelease } from '../support/release.ts';
import { createWorld, type World } from '../support/world.ts';
import { folderOfTest } from '../support/folder.ts';

let release: string;
let world: World;

beforeEach(async () => {
  release = await folderOfTest();
  world = await createWorld();
});

const runId = async () => {
  const { runId, status } = await world.temporal((client) =>
    client.workflow.getHandle(supervisorWorkflowId).describe(),
  );
  expect(status.name).toBe('RUNNING');
  return runId;
};

fullTest(
  'a release with compatible workflows continues the supervisor, and so does the previous release after a rollback',
  async () => {
    // The previous release ended both windows at once; `patched` keeps its histories.
    await makeRelease(release, { from: "patched('settling-ends-first')", to: 'false' });
    world.traffic.start(world.goldmane);
    const previous = await world.startWorker({}, release);
    await untilReadBy(previous, world);
    const began = await runId();
    await previous.terminate();
    const next = await world.startWorker();
    await untilReadBy(next, world);
    await untilReady(next);
    await next.terminate();
    const rolledBack = await world.startWorker({}, release);
    await untilReadBy(rolledBack, world);
    await untilReady(rolledBack);
    expect(await runId()).toBe(began);
    expect(await metric(rolledBack, 'flow_trail_recreated_total', { what: 'supervisor' })).toBe(0);
    await expectComplete(world);
  },
);

test('a release that cannot replay the supervisor’s history replaces it, and so does the previous release after a rollback', async () => {
  // The previous release started the readers in reverse order.
  const stream = "const stream = follow('stream', () => streamFlows({ windowMs }));";
  const settle = "const settle = follow('settle', () => settleBuckets({ windowMs }));";
  await makeRelease(release, { from: `${stream}\n  ${settle}`, to: `${settle}\n  ${stream}` });
  world.traffic.start(world.goldmane);
  const previous = await world.startWorker({}, release);
  await untilReadBy(previous, world);
  let former = await runId();
  await previous.terminate();
  for (const build of [undefined, release]) {
    const worker = await world.startWorker({}, build);
    await untilLogged(worker, 'The supervisor was replaced because its workflow tasks failed');
    await until('another supervisor runs', async () => (await runId()) !== former || undefined);
    await untilReadBy(worker, world);
    await untilReady(worker);
    expect(await metric(worker, 'flow_trail_recreated_total', { what: 'supervisor' })).toBe(1);
    former = await runId();
    if (build === undefined) await worker.terminate();
  }
  await expectComplete(world);
});
