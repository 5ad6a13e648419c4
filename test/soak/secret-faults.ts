import { expect } from 'vitest';
import { until } from '../support/poll.ts';
import type { Fault } from './fault.ts';

const digestLimitMs = 180_000;

/** Rotations of each secret; the worker receives the new one later. */
export const secretFaults: readonly Fault[] = [
  {
    name: 'database password rotated',
    run: async (installation) => {
      const deliver = await installation.rotateDatabasePassword();
      await installation.pass(200);
      await deliver();
    },
  },
  {
    name: "Goldmane's CA and all its certificates rotated",
    run: async (installation) => {
      const deliver = installation.switchGoldmane(await installation.newCertificates());
      await installation.pass(200);
      await deliver();
    },
  },
  {
    name: 'client certificate for Goldmane rotated',
    run: async (installation) => {
      const { client, authority } = await installation.newCertificates();
      const deliver = installation.switchGoldmane({ ...installation.certificates, client }, authority);
      await installation.pass(200);
      await deliver();
    },
  },
  {
    name: 'client certificate unreadable for a while',
    run: async (installation) => {
      const { client } = installation.certificates;
      await installation.world.mountCertificates({
        ...installation.certificates,
        client: { ...client, certificate: 'not a certificate' },
      });
      await installation.pass(300);
      await installation.world.mountCertificates(installation.certificates);
    },
  },
  {
    name: "Temporal's server certificate rotated, with its CA",
    run: async (installation) => {
      const { tls } = installation.servers;
      await tls.rotateServer();
      await installation.pass(150);
      await tls.write('ca.crt', tls.serverAuthority.certificate);
    },
  },
  {
    name: 'client certificate for Temporal rotated',
    run: async (installation) => {
      await installation.servers.tls.rotateClientAuthority();
      await installation.pass(150);
      await installation.issueTemporalClient();
    },
  },
  {
    name: 'API key for Temporal rotated',
    run: async (installation) => {
      const deliver = installation.revokeApiKey();
      await installation.pass(150);
      await deliver();
    },
  },
  {
    name: 'Slack webhook rotated',
    run: async (installation) => {
      const formerUrl = installation.slack.webhookUrl;
      const deliver = await installation.revokeWebhook();
      const refused = await installation.command('run', 'digest');
      expect(refused.out + refused.err).not.toContain(formerUrl);
      await deliver();
      await until(
        'a digest is posted to the new webhook',
        async () => {
          await installation.keepWorker();
          return (await installation.command('run', 'digest')).code === 0 ? true : undefined;
        },
        digestLimitMs,
      );
    },
  },
];
