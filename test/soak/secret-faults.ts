import { expect } from 'vitest';
import { until } from '../support/poll.ts';
import type { Fault } from './fault.ts';

const digestLimitMs = 180_000;

/** Each secret is rotated; the worker gets the new one later. */
export const secretFaults: readonly Fault[] = [
  {
    name: 'database password rotated',
    run: async (stage) => {
      const deliver = await stage.rotateDatabasePassword();
      await stage.pass(200);
      await deliver();
    },
  },
  {
    name: "Goldmane's CA and all its certificates rotated",
    run: async (stage) => {
      const deliver = stage.switchGoldmane(await stage.newCertificates());
      await stage.pass(200);
      await deliver();
    },
  },
  {
    name: 'client certificate for Goldmane rotated',
    run: async (stage) => {
      const { client, authority } = await stage.newCertificates();
      const deliver = stage.switchGoldmane({ ...stage.certificates, client }, authority);
      await stage.pass(200);
      await deliver();
    },
  },
  {
    name: 'client certificate unreadable, then back',
    run: async (stage) => {
      const { client } = stage.certificates;
      await stage.world.mountCertificates({
        ...stage.certificates,
        client: { ...client, certificate: 'not a certificate' },
      });
      await stage.pass(300);
      await stage.world.mountCertificates(stage.certificates);
    },
  },
  {
    name: "Temporal's server certificate rotated, with its CA",
    run: async (stage) => {
      const { tls } = stage.servers;
      await tls.rotateServer();
      await stage.pass(150);
      await tls.write('ca.crt', tls.serverAuthority.certificate);
    },
  },
  {
    name: 'client certificate for Temporal rotated',
    run: async (stage) => {
      await stage.servers.tls.rotateClientAuthority();
      await stage.pass(150);
      await stage.issueTemporalClient();
    },
  },
  {
    name: 'API key for Temporal rotated',
    run: async (stage) => {
      const deliver = stage.revokeApiKey();
      await stage.pass(150);
      await deliver();
    },
  },
  {
    name: 'Slack webhook rotated',
    run: async (stage) => {
      const formerUrl = stage.slack.webhookUrl;
      const deliver = await stage.revokeWebhook();
      const refused = await stage.command('run', 'digest');
      expect(refused.out + refused.err).not.toContain(formerUrl);
      await deliver();
      await until(
        'a digest is posted to the new webhook',
        async () => {
          await stage.keepWorker();
          return (await stage.command('run', 'digest')).code === 0 ? true : undefined;
        },
        digestLimitMs,
      );
    },
  },
];
