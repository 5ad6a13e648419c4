import { status } from '@grpc/grpc-js';
import { createServer, type Socket } from 'node:net';
import { connect } from 'node:net';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createAuthority } from '../../dev/certificates.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import { inTime } from '../../src/temporal/time-limit.ts';
import { until } from '../support/poll.ts';
import { TcpProxy } from '../support/proxy.ts';
import { TemporalTlsProxy } from '../support/temporal-tls-proxy.ts';
import { listen } from '../../dev/ports.ts';

test('closing a connection fails a call that waits for its retry, and does not end the process', async () => {
  const [host = '', port = ''] = inject('temporalAddress').split(':');
  const sockets = new Set<Socket>();
  let isDown = false;
  let refused = 0;
  const proxy = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    if (isDown) {
      refused += 1;
      client.destroy();
      return;
    }
    const server = connect(Number(port), host);
    server.on('error', () => undefined);
    client.pipe(server).pipe(client);
  });
  const proxyPort = await listen(proxy);
  const { connection } = await connectClient({
    connectionOptions: { address: `127.0.0.1:${proxyPort}` },
  });
  isDown = true;
  for (const socket of sockets) socket.destroy();
  const call = connection.workflowService.getSystemInfo({}).then(
    () => 'answered',
    (error: unknown) => error,
  );
  await until('the call is retried', () => (refused > 0 ? true : undefined));
  await connection.close();
  expect(await call).toMatchObject({ code: 1, details: 'Channel has been shut down' });
  proxy.close();
});

test('the client does not use the proxy of the environment, as the worker does not', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const name of ['grpc_proxy', 'https_proxy', 'http_proxy']) vi.stubEnv(name, 'http://127.0.0.1:1');
  const { connection } = await connectClient({
    connectionOptions: { address: inject('temporalAddress') },
  });
  expect(await connection.workflowService.getSystemInfo({})).toHaveProperty('serverVersion');
  await connection.close();
});

test('calls end within their time limit if the connection breaks and the server then hangs', async () => {
  const proxy = await TcpProxy.listen(inject('temporalAddress'));
  const { client, connection } = await connectClient({ connectionOptions: { address: proxy.address } });
  onTestFinished(async () => {
    await connection.close();
    await proxy.close();
  });
  await connection.workflowService.getSystemInfo({});
  // The first attempt fails with the connection; the next ones get no response.
  proxy.wiretap = () => ({ fromClient: (_chunk, link) => link.blackHole() });
  for (const link of proxy.links) link.cut();
  await expect(
    inTime(client, 2_000, () => client.workflowService.describeNamespace({ namespace: 'default' })),
  ).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
});

test('a rejected API key is reported, also during the connection', async () => {
  const authority = await createAuthority();
  const server = await authority.issue({ usage: 'server', commonName: 'temporal', names: ['127.0.0.1'] });
  const proxy = await TemporalTlsProxy.listen(inject('temporalAddress'), { server });
  onTestFinished(() => proxy.close());
  proxy.apiKeys = new Set(['the-right-key']);
  const connect = (apiKey: string) =>
    connectClient({
      connectionOptions: {
        address: proxy.address,
        apiKey,
        tls: { serverRootCACertificate: Buffer.from(authority.certificate) },
      },
    });
  await expect(connect('another-key')).rejects.toMatchObject({
    kind: 'access_denied',
    message: expect.stringContaining('TEMPORAL_API_KEY_FILE'),
  });
  const { connection } = await connect('the-right-key');
  await connection.close();
});
