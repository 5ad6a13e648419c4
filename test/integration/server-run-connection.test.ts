import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { issueCertificates, writeCertificates } from '../../dev/certificates.ts';
import { startGoldmane, type GoldmaneOptions, type GoldmaneStandIn } from '../../dev/goldmane/stand-in.ts';
import { connectGoldmane, type GoldmaneConnection } from '../../src/goldmane/connection.ts';
import type { GoldmaneConfig } from '../../src/config/goldmane-config.ts';
import { until } from '../support/poll.ts';
import { serverTls } from '../support/world.ts';
import { folderOfTest } from '../support/folder.ts';

const never = new AbortController().signal;
const bucket = Math.floor(Date.now() / 15_000) * 15 - 600;
let scratch: string;
let options: GoldmaneOptions;
let goldmane: GoldmaneStandIn;
let target: GoldmaneConfig;
const connections: GoldmaneConnection[] = [];

beforeEach(async () => {
  scratch = await folderOfTest();
  const issued = await issueCertificates();
  const files = await writeCertificates(scratch, {
    pair: issued.client,
    bundle: issued.authority.certificate,
  });
  options = { clock: systemClock, tls: serverTls(issued), startAtOnce: true };
  goldmane = await startGoldmane(options);
  target = {
    ...files,
    host: goldmane.address,
    serverName: 'goldmane.calico-system.svc',
    insecure: false,
    maxReceiveBytes: 1_048_576,
  };
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await goldmane.kill();
});

async function connect(): Promise<GoldmaneConnection> {
  const connection = await connectGoldmane(target, { clock: systemClock, signal: never });
  connections.push(connection);
  return connection;
}

test('a connection does not reconnect silently to another server run: it fails, and the worker opens a new one', async () => {
  const connection = await connect();
  await connection.list(bucket, never);
  await goldmane.kill();
  goldmane = await startGoldmane({ ...options, port: goldmane.port });
  // A new connection reaches the new run, so the first one could reconnect, too.
  await until('the new run answers', async () => (await connect()).list(bucket, never), 10_000);
  for (let tries = 0; tries < 3; tries += 1)
    await expect(connection.list(bucket, never)).rejects.toMatchObject({ kind: 'unavailable' });
});
