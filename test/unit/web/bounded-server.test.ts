import { networkInterfaces } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import type { Server } from 'node:http';
import { loadConfig } from '../../../src/config/config.ts';
import { closeServer, listenBounded } from '../../../src/web/bounded-server.ts';
import { portOf } from '../../../dev/ports.ts';

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map(closeServer)));

async function answersOf(host: string): Promise<string[]> {
  const server = await listenBounded((_, response) => response.end('ok'), host, 0);
  servers.push(server);
  const port = portOf(server);
  const call = (name: string) =>
    fetch(`http://${name}:${port}/`).then(
      async (response) => `${name} ${await response.text()}`,
      () => `${name} refused`,
    );
  return Promise.all(['127.0.0.1', '[::1]'].map(call));
}

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

// The kubelet calls a pod in a cluster with only IPv6 at its IPv6 address.
test('by default, health and metrics are served at IPv4 addresses, and at IPv6 addresses if there are any', async () => {
  const { listenHost } = loadConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1/none' });
  expect(await answersOf(listenHost)).toEqual(['127.0.0.1 ok', hasIPv6 ? '[::1] ok' : '[::1] refused']);
});

test('a server with an address listens only there', async () => {
  expect(await answersOf('127.0.0.1')).toEqual(['127.0.0.1 ok', '[::1] refused']);
});
