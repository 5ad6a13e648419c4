import { expect, test } from 'vitest';
import { issueCertificates } from '../../dev/certificates.ts';
import {
  bucketNow,
  expectComplete,
  metric,
  untilFailure,
  untilMerged,
  untilStreaming,
} from '../support/faults.ts';
import { serverTls, createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

test('nothing is lost when the server switches to another CA before the worker receives its files', async () => {
  const world = await createWorld();
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilStreaming(worker, world);

  const next = await issueCertificates();
  world.goldmane.useCertificates(serverTls(next));
  world.goldmane.faults.cutConnections();
  await untilFailure(worker, 'unknown_ca', ['Stale certificate']);
  await world.pass(120);
  await world.mountCertificates(next);
  await untilMerged(world, bucketNow(world));
  expect(
    await metric(worker, 'flow_trail_reconnects_total', { reader: 'stream', cause: 'unknown_ca' }),
  ).toBeGreaterThan(0);
  await expectComplete(world);
});

fullTest(
  'nothing is lost when the worker receives the files of another CA before the server switches to it',
  async () => {
    const world = await createWorld();
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilStreaming(worker, world);

    const next = await issueCertificates();
    await world.mountCertificates(next);
    await world.pass(120);
    // Open connections stay open until the window ends; the next one still uses the old certificate.
    world.goldmane.faults.cutConnections();
    await untilFailure(worker, 'unknown_ca');
    world.goldmane.useCertificates(serverTls(next));
    await untilMerged(world, bucketNow(world));
    await expectComplete(world);
  },
);

fullTest(
  'nothing is lost when the server rejects a client certificate until it is replaced, with the same CA bundle',
  async () => {
    const first = await issueCertificates();
    const world = await createWorld({ certificates: first });
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilStreaming(worker, world);

    // The server now trusts clients of another CA only; its own certificate is unchanged.
    const clients = await issueCertificates();
    world.goldmane.useCertificates({ ...serverTls(first), ca: clients.authority.certificate });
    world.goldmane.faults.cutConnections();
    // Node's TLS server closes the connection where Go's sends an alert.
    await untilFailure(worker, 'unavailable');
    await world.mountCertificates({ ...first, client: clients.client });
    await untilMerged(world, bucketNow(world));
    await expectComplete(world);
  },
);
