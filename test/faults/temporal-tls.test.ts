import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { issueCertificates } from '../../dev/certificates.ts';
import { flowTrail } from '../support/cli.ts';
import { expectComplete, metric, untilReadBy, untilLogged } from '../support/faults.ts';
import { fullTest } from '../support/full.ts';
import { until } from '../support/poll.ts';
import { readyz, untilNotReady, untilReady } from '../support/readyz.ts';
import { TemporalTls } from '../support/temporal-tls.ts';
import { expectNoSecretShown, untilConnected } from '../support/failure-places.ts';
import { createWorld, type World } from '../support/world.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

let world: World;
let tls: TemporalTls;

beforeEach(async () => {
  world = await createWorld();
  tls = await TemporalTls.create(`${world.scratch}/temporal-tls`);
  onTestFinished(() => tls.proxy.close());
  world.traffic.start(world.goldmane);
});

async function startFollowing(env: NodeJS.ProcessEnv = {}): Promise<WorkerProcess> {
  await tls.writeAll();
  const worker = await world.startWorker({ ...tls.env, ...env });
  await untilReady(worker);
  await untilReadBy(worker, world);
  return worker;
}

/** Waits until /readyz, the log and `flow-trail status` all name the setting. */
async function untilReportedEverywhere(
  worker: WorkerProcess,
  setting: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  await untilNotReady(worker, setting);
  await until('the log names the setting', () => worker.lines.find((line) => setting.test(line)));
  const { code, out, err } = await flowTrail(['status'], { ...world.workerEnv(), ...tls.env, ...env });
  expect(code).not.toBe(0);
  expect(out + err).toMatch(setting);
}

async function untilReplaced(worker: WorkerProcess, times: number): Promise<void> {
  await until(`the connection was replaced ${times} times`, async () =>
    (await metric(worker, 'flow_trail_temporal_connections_replaced_total')) >= times ? true : undefined,
  );
}

const daysLeft = (worker: WorkerProcess) => metric(worker, 'flow_trail_temporal_certificate_days_left');

/** Expects a complete trail, from the same process. */
async function expectRecovered(worker: WorkerProcess): Promise<void> {
  await untilReady(worker);
  await untilReadBy(worker, world);
  await untilConnected(world);
  await expectComplete(world);
  expect(worker.process.hasExited()).toBe(false);
}

test('a worker waits for certificates that are not mounted yet, and uses the certificate of a rotated client CA', async () => {
  const worker = await world.startWorker(tls.env);
  await untilReportedEverywhere(worker, /TEMPORAL_TLS_CLIENT_CERT_PATH/);
  await tls.write('ca.crt', tls.serverAuthority.certificate);
  await tls.writeClient(await tls.issueClient(new Date(Date.now() + 10 * 60_000)));
  await untilReady(worker);
  await untilReadBy(worker, world);
  await untilLogged(worker, 'The client certificate for Temporal expires soon');
  expect(await daysLeft(worker)).toBeLessThan(1);

  await tls.rotateClientAuthority();
  await untilReportedEverywhere(worker, /rejected the client certificate.*TEMPORAL_TLS_CLIENT_CERT_PATH/);
  await tls.writeClient(await tls.issueClient());
  await untilReplaced(worker, 1);
  await until('the metric shows the new certificate', async () =>
    (await daysLeft(worker)) > 20 ? true : undefined,
  );
  await expectRecovered(worker);
  await expectNoSecretShown(world);
});

describe('the server’s CA', () => {
  fullTest('rotated before the CA file', async () => {
    const worker = await startFollowing();
    await tls.rotateServer();
    await untilReportedEverywhere(worker, /TEMPORAL_TLS_SERVER_CA_CERT_PATH/);
    await tls.write('ca.crt', tls.serverAuthority.certificate);
    await untilReplaced(worker, 1);
    await expectRecovered(worker);
  });

  fullTest('rotated after the CA file contains both: the worker stays connected', async () => {
    const worker = await startFollowing();
    const old = tls.serverAuthority.certificate;
    const next = await tls.prepareServer();
    await tls.write('ca.crt', `${old}${next.authority.certificate}`);
    await untilReplaced(worker, 1);
    tls.presentServer(next);
    await until('clients have reconnected', () => (tls.proxy.openSessions >= 2 ? true : undefined));
    expect((await readyz(worker)).text).toBe('ready\n');
    await expectRecovered(worker);
    expect(tls.proxy.handshakeErrors).toEqual([]);
  });

  fullTest(
    'rotated after the CA file contains only the new one: the log reports it, and the old connection stays',
    async () => {
      const worker = await startFollowing();
      const next = await tls.prepareServer();
      await tls.write('ca.crt', next.authority.certificate);
      await untilLogged(worker, 'A check failed; retrying');
      expect(worker.lines.find((line) => line.includes('TEMPORAL_TLS_SERVER_CA_CERT_PATH'))).toBeDefined();
      expect((await readyz(worker)).ok).toBe(true);
      tls.presentServer(next);
      await untilReplaced(worker, 1);
      await expectRecovered(worker);
    },
  );

  fullTest('with the same name as the old one, both in the file', async () => {
    const worker = await startFollowing();
    const next = await tls.prepareServer('temporal-server-ca');
    tls.presentServer(next);
    await untilNotReady(worker, /TEMPORAL_TLS_SERVER_CA_CERT_PATH/);
    await tls.write('ca.crt', `${tls.firstServerAuthority.certificate}${next.authority.certificate}`);
    await untilReplaced(worker, 1);
    await expectRecovered(worker);
  });
});

describe('files that are broken', () => {
  fullTest(
    'keep the current connection, are reported when it closes, and work once they are repaired',
    async () => {
      const worker = await startFollowing();
      const other = await issueCertificates();
      const { certificate } = await tls.issueClient();
      const good = await tls.issueClient();
      const broken: [file: string, content: string, setting: RegExp][] = [
        ['tls.crt', 'no certificate\n', /no PEM certificate.*|TEMPORAL_TLS_CLIENT_CERT_PATH/],
        ['tls.crt', certificate.slice(0, 300) + certificate, /truncated PEM/],
        ['tls.crt', other.client.certificate, /does not match/],
        ['tls.key', '', /not an unencrypted PEM private key/],
        ['ca.crt', tls.serverAuthority.certificate.slice(0, 200), /TEMPORAL_TLS_SERVER_CA_CERT_PATH/],
      ];
      for (const [file, content, setting] of broken) {
        await tls.writeClient(good);
        await tls.write('ca.crt', tls.serverAuthority.certificate);
        await tls.write(file, content);
        await until('the log names the setting', () => worker.lines.find((line) => setting.test(line)));
        expect((await readyz(worker)).ok).toBe(true);
      }
      await tls.rotateServer();
      await untilReportedEverywhere(worker, /CA file .*ca\.crt/);
      await tls.write('ca.crt', tls.serverAuthority.certificate);
      await tls.writeClient(good);
      await untilReplaced(worker, 1);
      await expectRecovered(worker);
      await expectNoSecretShown(world);
    },
  );

  fullTest('an expired client certificate', async () => {
    const worker = await startFollowing();
    const expired = await tls.issueClient(new Date(Date.now() - 60_000));
    await tls.writeClient(expired);
    await untilLogged(worker, 'A check failed; retrying');
    expect((await readyz(worker)).ok).toBe(true);
    await tls.rotateClientAuthority();
    await untilReportedEverywhere(worker, /expired at \d{4}-/);
    await tls.writeClient(await tls.issueClient());
    await untilReplaced(worker, 1);
    await expectRecovered(worker);
  });
});

describe('the API key', () => {
  fullTest('rotated in the file before the server, and revoked for longer than the SDK waits', async () => {
    const keys = ['first-api-key', 'second-api-key', 'third-api-key'];
    await tls.write('api-key', `${keys[0]}\n`);
    tls.proxy.apiKeys = new Set(keys.slice(0, 2));
    const env = { TEMPORAL_API_KEY_FILE: tls.path('api-key') };
    const worker = await startFollowing(env);
    await tls.write('api-key', `${keys[1]}\n`);
    await untilReplaced(worker, 1);
    expect(tls.proxy.seenKeys).toEqual(new Set(keys.slice(0, 2)));

    tls.proxy.apiKeys = new Set([keys[2] ?? '']);
    tls.proxy.drop();
    await untilReportedEverywhere(worker, /TEMPORAL_API_KEY_FILE/, env);
    // The SDK gives up after a minute, and the worker is restarted.
    expect((await worker.process.exited).code).toBe(1);
    const next = await world.startWorker({ ...tls.env, ...env });
    await untilNotReady(next, /TEMPORAL_API_KEY_FILE/);
    await tls.write('api-key', `${keys[2]}\n`);
    await expectRecovered(next);
    await expectNoSecretShown(world, keys);
  });
});
