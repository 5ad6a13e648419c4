import { afterEach, expect, test } from 'vitest';
import { expectWhole, metric } from '../support/faults.ts';
import { expectNoSecretTold, untilTold, untilWell } from '../support/told.ts';
import { World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

let world: World;
afterEach(() => world.close());

test('each kind of refusal by Goldmane is reported with its cure, and the trail is complete after recovery', async () => {
  world = await World.create();
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilWell(world);
  const { faults } = world.goldmane;
  for (const [status, cure] of [
    [
      'RESOURCE_EXHAUSTED',
      'It has too much to do, or too little memory or CPU: it is asked again, ever more slowly',
    ],
    [
      'UNIMPLEMENTED',
      'What answers there does not know this call: set GOLDMANE_HOST to a Goldmane of Calico 3.30 or newer',
    ],
    ['PERMISSION_DENIED', 'see what stands before it \\(a proxy, a mesh\\), and GOLDMANE_HOST'],
  ] as const) {
    faults.answerStreams({ status, message: 'said by the server' });
    faults.answerLists({ status, message: 'said by the server' });
    faults.endStreams(status, 'said by the server');
    await untilTold(
      world,
      worker,
      new RegExp(
        `Goldmane at ${world.goldmane.address} refused (List|Stream): ${status} said by the server. .*${cure}`,
      ),
    );
  }
  faults.answerStreams('serve');
  faults.answerLists('serve');
  await untilWell(world);
  await expectWhole(world);
  await expectNoSecretTold(world);
  // It was asked ever more slowly, and never twice at once.
  expect(await metric(worker, 'flow_trail_reconnects_total', { cause: 'refused' })).toBeGreaterThan(0);
});

fullTest('the worker waits for a Goldmane that is not running yet', async () => {
  world = await World.create();
  await world.goldmane.kill();
  const worker = await world.startWorker();
  await untilTold(
    world,
    worker,
    new RegExp(
      `Connection refused: nobody listens at ${world.goldmane.address}. See that Goldmane runs \\(kubectl get goldmane`,
    ),
  );
  await world.restartGoldmane({ nodesResend: false });
  world.traffic.start(world.goldmane);
  await untilWell(world);
  await world.pass(120);
  await expectWhole(world);
});

fullTest('a host name of Goldmane that does not exist is reported', async () => {
  world = await World.create();
  const worker = await world.startWorker({ GOLDMANE_HOST: 'goldmane.invalid:7443' });
  await untilTold(
    world,
    worker,
    /The name of Goldmane, goldmane.invalid:7443, does not resolve \(E[A-Z_]+\). Check GOLDMANE_HOST, the DNS of this pod/,
  );
});
