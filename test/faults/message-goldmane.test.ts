import { expect, test } from 'vitest';
import { expectComplete, metric } from '../support/faults.ts';
import { expectNoSecretShown, untilFailureShown, untilConnected } from '../support/failure-places.ts';
import { createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

test('each status with which Goldmane rejects calls is reported with its cure, and the trail is complete after recovery', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilConnected(world);
  const { faults } = world.goldmane;
  for (const status of ['RESOURCE_EXHAUSTED', 'UNIMPLEMENTED', 'PERMISSION_DENIED'] as const) {
    faults.answerStreams({ status, message: 'said by the server' });
    faults.answerLists({ status, message: 'said by the server' });
    faults.endStreams(status, 'said by the server');
    await untilFailureShown(world, worker, 'refused', {
      values: [world.goldmane.address, status, 'said by the server'],
    });
  }
  faults.answerStreams('serve');
  faults.answerLists('serve');
  await untilConnected(world);
  await expectComplete(world);
  await expectNoSecretShown(world);
  // Requests were made at growing intervals, and never concurrently.
  expect(await metric(worker, 'flow_trail_reconnects_total', { cause: 'refused' })).toBeGreaterThan(0);
});

fullTest('the worker waits for a Goldmane that is not running yet', async () => {
  const world = await createWorld();
  await world.goldmane.kill();
  const worker = await world.startWorker();
  await untilFailureShown(world, worker, 'connection_refused', { values: [world.goldmane.address] });
  await world.restartGoldmane({ nodesResend: false });
  world.traffic.start(world.goldmane);
  await untilConnected(world);
  await world.pass(120);
  await expectComplete(world);
});

fullTest('a host name of Goldmane that does not exist is reported', async () => {
  const world = await createWorld();
  const worker = await world.startWorker({ GOLDMANE_HOST: 'goldmane.invalid:7443' });
  await untilFailureShown(world, worker, 'dns', { values: ['goldmane.invalid:7443'] });
});
