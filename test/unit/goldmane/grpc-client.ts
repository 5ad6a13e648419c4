import { readFile } from 'node:fs/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { GoldmaneConfig } from '../../../src/config/goldmane-config.ts';

/** A plain gRPC client, for tests with limits that differ from a connection's. */
export async function createGrpcClient({ host, caPath, keyPath, certPath }: GoldmaneConfig): Promise<Client> {
  const [ca, key, cert] = await Promise.all([readFile(caPath), readFile(keyPath), readFile(certPath)]);
  const client = new Client(host, credentials.createSsl(ca, key, cert), {
    'grpc.use_local_subchannel_pool': 1,
  });
  onTestFinished(() => client.close());
  return client;
}
