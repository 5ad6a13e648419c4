import { rm, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { createAuthority, issueCertificates } from '../../dev/certificates.ts';
import { expectComplete, failuresIn } from '../support/faults.ts';
import { expectNoSecretShown, untilFailureShown, untilConnected } from '../support/failure-places.ts';
import { serverTls, createWorld } from '../support/world.ts';
import { fullTest } from '../support/full.ts';

fullTest(
  'each problem with the client certificate is reported with its cure, and the trail is complete after the fix',
  async () => {
    const world = await createWorld();
    const { authority, client } = world.certificates;
    const other = await issueCertificates();
    await world.mountCertificates({ ...world.certificates, client: other.client });
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    const certPath = String(world.workerEnv()['TLS_CERT_PATH']);
    const keyPath = String(world.workerEnv()['TLS_KEY_PATH']);

    await untilFailureShown(world, worker, 'certificate_refused', { values: [certPath] });

    const past = (days: number) => new Date(Date.now() - days * 86_400_000);
    const expired = await authority.issue({
      usage: 'client',
      commonName: 'whisker-backend',
      notBefore: past(30),
      notAfter: past(1),
    });
    await world.mountCertificates({ ...world.certificates, client: expired });
    await untilFailureShown(world, worker, 'certificate_expired', {
      values: [certPath, past(1).toISOString().slice(0, 10)],
    });

    await world.mountCertificates({ ...world.certificates, client: { ...client, key: other.client.key } });
    await untilFailureShown(world, worker, 'certificate_unreadable', { values: [keyPath, certPath] });

    await rm(certPath);
    await untilFailureShown(world, worker, 'certificate_unreadable', { values: ['TLS_CERT_PATH', certPath] });

    await writeFile(certPath, 'no certificate at all');
    await untilFailureShown(world, worker, 'certificate_unreadable', { values: [certPath, 'PEM'] });

    await world.mountCertificates(world.certificates);
    await untilConnected(world);
    await expectComplete(world);
    await expectNoSecretShown(world, [other.client.key.split('\n')[1] ?? '']);
  },
);

fullTest(
  'a CA bundle that never verified Goldmane is reported differently from one that did before it was replaced',
  async () => {
    const world = await createWorld();
    const other = await createAuthority();
    await world.mountCertificates({ ...world.certificates, authority: other });
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker();
    await untilFailureShown(world, worker, 'unknown_ca', { values: ['tigera-ca-bundle', 'Wrong CA'] });
    expect(failuresIn(worker, 'unknown_ca').join()).not.toContain('Stale certificate');

    await world.mountCertificates(world.certificates);
    await untilConnected(world);
    const anew = await issueCertificates();
    world.goldmane.useCertificates(serverTls(anew));
    world.goldmane.faults.cutConnections();
    await untilFailureShown(world, worker, 'unknown_ca', { values: ['Stale certificate'] });
    await world.mountCertificates(anew);
    await untilConnected(world);
    await expectComplete(world);
  },
);

fullTest('the failure of a wrong server name lists the names in Goldmane’s certificate', async () => {
  const world = await createWorld();
  const elsewhere = await world.certificates.authority.issue({
    usage: 'server',
    commonName: 'whisker',
    names: ['whisker.calico-system.svc'],
  });
  world.goldmane.useCertificates(serverTls({ ...world.certificates, server: elsewhere }));
  world.traffic.start(world.goldmane);
  const worker = await world.startWorker();
  await untilFailureShown(world, worker, 'wrong_server_name', {
    values: ['goldmane.calico-system.svc', 'DNS:whisker.calico-system.svc'],
  });
  world.goldmane.useCertificates(serverTls(world.certificates));
  await untilConnected(world);
  await expectComplete(world);
});
