import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { issueCertificates, writeCertificates, type IssuedCertificates } from '../../dev/certificates.ts';
import { startGoldmane, type GoldmaneStandIn } from '../../dev/goldmane/stand-in.ts';
import { startSlack, type SlackStandIn } from '../../dev/slack/stand-in.ts';
import { flowTrail } from '../support/cli.ts';
import { databasePerTest } from '../support/database.ts';
import { JobWorker } from '../support/job-worker.ts';
import { serverTls } from '../support/world.ts';
import { listen } from '../../dev/ports.ts';
import { folderOfTest } from '../support/folder.ts';

const db = databasePerTest();
let slack: SlackStandIn;
let goldmane: GoldmaneStandIn;
let jobs: JobWorker;
let folder: string;
let env: NodeJS.ProcessEnv;
let issued: IssuedCertificates;

beforeEach(async () => {
  [slack, issued, folder] = await Promise.all([startSlack({ port: 0 }), issueCertificates(), folderOfTest()]);
  goldmane = await startGoldmane({ clock: systemClock, tls: serverTls(issued), startAtOnce: true });
  const { certPath, keyPath, caPath } = await copy(issued);
  env = {
    DATABASE_URL: db.url,
    GOLDMANE_HOST: goldmane.address,
    GOLDMANE_SERVER_NAME: 'goldmane.calico-system.svc',
    TLS_CERT_PATH: certPath,
    TLS_KEY_PATH: keyPath,
    CA_CERT_PATH: caPath,
    SLACK_WEBHOOK_URL: slack.webhookUrl,
  };
  jobs = await JobWorker.start(inject('temporalAddress'), db.database, env);
});
afterEach(async () => {
  await jobs.close();
  await goldmane.stop();
  await slack.stop();
});

function copy(from: Pick<IssuedCertificates, 'client' | 'authority'>) {
  return writeCertificates(folder, { pair: from.client, bundle: from.authority.certificate });
}

/** The header of each message. */
const headers = () => slack.messages.map(({ text }) => text.split('\n')[0]);

test('a stale copy is posted once, fails each run until it is replaced, and is then posted as resolved', async () => {
  expect(await jobs.run('certificates')).toMatchObject({
    result: { state: 'good', handshake: 'accepted', alert: 'unchanged' },
  });
  expect(headers()).toEqual([]);

  const rotated = await issueCertificates();
  goldmane.useCertificates(serverTls(rotated));
  for (let run = 0; run < 2; run += 1)
    expect(await jobs.run('certificates')).toMatchObject({
      failed: 'certificate_stale_copy',
      message: expect.stringContaining('whisker-backend-key-pair'),
    });
  expect(headers()).toEqual([expect.stringMatching(/^Critical: .*stale/)]);
  expect(JSON.stringify(slack.messages)).toMatch(/whisker-backend-key-pair/);

  await copy(rotated);
  expect(await jobs.run('certificates')).toMatchObject({ result: { state: 'good', alert: 'posted' } });
  expect(await jobs.run('certificates')).toMatchObject({ result: { state: 'good', alert: 'unchanged' } });
  expect(headers()).toEqual([
    expect.stringMatching(/^Critical: .*stale/),
    expect.stringMatching(/^Resolved: /),
  ]);
  expect(slack.messages.every(({ channel }) => channel === '#alerts')).toBe(true);
});

test('files that never worked are reported as a wrong CA, and no secret is posted', async () => {
  await copy(await issueCertificates());
  const outcome = await jobs.run('certificates');
  expect(outcome).toMatchObject({ failed: 'certificate_wrong_ca' });
  expect(JSON.stringify([outcome, slack.messages])).not.toMatch(/PRIVATE KEY|services\/T/);
  expect(await db.database.query('select state, told_state from alert')).toEqual([
    { state: 'wrong_ca', told_state: 'wrong_ca' },
  ]);
});

test('a run with a warning completes with the warning in its result', async () => {
  const client = await issued.authority.issue({
    usage: 'client',
    commonName: 'whisker-backend',
    notAfter: new Date(Date.now() + 10 * 86_400_000),
  });
  await copy({ ...issued, client });
  expect(await jobs.run('certificates')).toMatchObject({
    result: { state: 'expiring', severity: 'warning', alert: 'posted', daysLeft: { client: 9.9 } },
  });
  expect(headers()).toEqual([expect.stringMatching(/^Warning: /)]);
});

test('a critical finding fails the run even if Slack rejects the message', async () => {
  await copy(await issueCertificates());
  slack.answerAll({ status: 404, body: 'channel_not_found' });
  expect(await jobs.run('certificates')).toMatchObject({
    failed: 'certificate_wrong_ca',
    message: expect.stringMatching(/channel_not_found.*#alerts/),
  });
  slack.answerAll('ok');
  await jobs.run('certificates');
  expect(headers()).toEqual([expect.stringMatching(/^Critical: /)]);
});

test('with access to the operator’s Secret, a rotation is reported while the old copy still works', async () => {
  const rotated = await issued.authority.issue({ usage: 'client', commonName: 'whisker-backend' });
  let held = issued.client.certificate;
  const api = createServer(
    { key: issued.server.key, cert: issued.server.certificate },
    (request, response) => {
      const isAllowed = request.headers.authorization === 'Bearer the-token';
      const data = { 'tls.crt': Buffer.from(held).toString('base64'), 'tls.key': 'c2VjcmV0' };
      response.writeHead(isAllowed ? 200 : 403).end(JSON.stringify({ data }));
    },
  );
  const port = await listen(api);
  onTestFinished(() => {
    api.closeAllConnections();
    api.close();
  });
  const [tokenPath, caPath] = [join(folder, 'token'), join(folder, 'ca.crt')];
  await writeFile(caPath, issued.authority.certificate);
  await writeFile(tokenPath, 'another-token');
  jobs.deps.clusterApi = { host: '127.0.0.1', port, tokenPath, caPath };

  expect(await jobs.run('certificates')).toMatchObject({
    result: { state: 'good', operatorSecret: expect.stringContaining('403') },
  });
  await writeFile(tokenPath, 'the-token');
  expect(await jobs.run('certificates')).toMatchObject({ result: { state: 'good', operatorSecret: 'same' } });
  held = rotated.certificate;
  expect(await jobs.run('certificates')).toMatchObject({
    result: { state: 'rotated', severity: 'warning', handshake: 'accepted', operatorSecret: 'differs' },
  });
  await copy({ ...issued, client: rotated });
  expect(await jobs.run('certificates')).toMatchObject({ result: { state: 'good', operatorSecret: 'same' } });
  expect(headers()).toEqual([
    expect.stringMatching(/^Warning: .*rotated/),
    expect.stringMatching(/^Resolved: /),
  ]);
});

test('`flow-trail certificates` has the same findings without Temporal, with and without stored contacts', async () => {
  const good = await flowTrail(['certificates'], env);
  expect(good).toMatchObject({ code: 0, err: '' });
  expect(good.out).toMatch(/^good\n/);
  expect(good.out).toMatch(/client +\d{4}-\d\d-\d\d [\d:]+ UTC +29\.9\n/);
  expect(await db.database.query('select * from tls_contact')).toEqual([]);

  await jobs.run('certificates');
  goldmane.useCertificates(serverTls(await issueCertificates()));
  const stale = await flowTrail(['certificates', '--json'], env);
  expect(stale.code).toBe(3);
  expect(JSON.parse(stale.out)).toMatchObject({ state: 'stale_copy', handshake: 'unknown_ca' });

  const withoutContacts = await flowTrail(['certificates'], {
    ...env,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  });
  expect(withoutContacts.code).toBe(3);
  expect(withoutContacts.out).toMatch(/^critical: refused\n/);
  expect(withoutContacts.err).toContain('ECONNREFUSED');
});
