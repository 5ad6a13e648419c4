import { beforeEach, expect, test } from 'vitest';
import type { TemporalServer } from '../../dev/temporal/server.ts';
import { flowTrail } from '../support/cli.ts';
import { expectComplete, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { expectNoSecretShown, untilFailureShown, untilConnected } from '../support/failure-places.ts';
import { createNamespace, createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';
import { temporalOfTest } from '../support/servers-of-test.ts';

let temporal: TemporalServer;
let world: World;
beforeEach(async () => {
  temporal = await temporalOfTest();
  world = await createWorld({ temporalAddress: temporal.address });
});

fullTest(
  'without Temporal, then without its namespace, the worker waits, reports what is missing, and starts once it exists',
  async () => {
    world.traffic.start(world.goldmane);
    const namespace = `${world.namespace}-to-come`;
    await temporal.stop();
    const worker = await world.startWorker({ TEMPORAL_NAMESPACE: namespace });
    const refused = `Connection refused: nothing is listening at ${temporal.address}. Start Temporal, or correct TEMPORAL_ADDRESS`;
    await untilLogged(worker, `Waiting for a dependency; retrying: ${refused}`);
    await until('/readyz reports it too', async () => {
      const response = await fetch(`http://127.0.0.1:${worker.httpPort}/readyz`);
      return response.status === 503 && (await response.text()).includes(refused) ? true : undefined;
    });
    await temporal.start();
    await untilLogged(
      worker,
      `Waiting for a dependency; retrying: Temporal at ${temporal.address} has no namespace ${namespace}. Create it (temporal operator namespace create --namespace ${namespace}), or correct TEMPORAL_NAMESPACE`,
    );
    await createNamespace(namespace, temporal.address);
    await untilLogged(worker, 'The worker is polling for work');
    await untilLogged(worker, 'The stream is open');
  },
);

fullTest(
  'a Temporal outage is reported in the log and by the command, and the trail is complete afterwards',
  async () => {
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilConnected(world);
    await temporal.stop();
    await until('the log reports the outage of Temporal', () =>
      worker.messages().find((line) => line.includes(`nothing is listening at ${temporal.address}`)),
    );
    const away = await flowTrail(['status'], world.workerEnv());
    expect([away.code, away.out]).toEqual([1, '']);
    expect(away.err).toMatch(
      /^flow-trail: Connection refused: nothing is listening at .*. Start Temporal[^\n]*\n$/,
    );
    await temporal.start();
    await untilLogged(worker, 'Temporal is available again');
    await untilConnected(world);
    await expectComplete(world);
    await expectNoSecretShown(world);
  },
);

test('when no worker runs, the command reports it, with the last failure of the readers', async () => {
  await world.goldmane.kill();
  const worker = await world.startWorker();
  await untilFailureShown(world, worker, 'connection_refused', { where: ['attempts'] });
  await worker.kill();
  const { code, out, err } = await flowTrail(['status'], world.workerEnv());
  expect([code, err]).toEqual([3, '']);
  // On a busy machine, the attempts of the killed worker have timed out by then, which is the last failure.
  expect(out).toMatch(/the previous one failed: (Connection refused|activity Heartbeat timeout)/);
  expect(out).toMatch(/No worker responds to queries to the supervisor/);
});
