import { constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCertificates } from '../../dev/certificates.ts';
import { versions } from './environment.ts';
import { Http2Client } from './http2-client.ts';
import { Reader } from './reader.ts';
import { Harness } from './harness.ts';
import type { Server } from './server.ts';
import { until } from './waiting.ts';

describe.each(versions)('The transport of Goldmane %s', (version) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open({ version });
  });
  afterAll(() => harness?.close());

  /** The gRPC status code for a reader with these credentials and this server name. */
  async function codeFor(tls: Partial<Server['target']['tls']>, serverName = 'goldmane'): Promise<number> {
    const target = { ...harness.server.target, serverName, tls: { ...harness.server.target.tls, ...tls } };
    const reader = new Reader({ ...harness.server, target });
    try {
      await reader.list(harness.bucket(-20), harness.bucket(-19), 20_000);
      return 0;
    } catch (error) {
      return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : -1;
    } finally {
      reader.close();
    }
  }

  it.concurrent('accepts a client certificate of its CA with any name', async () => {
    const client = await harness.server.issueClient?.({ commonName: 'any-name' });
    expect(await codeFor(client ?? {})).toBe(0);
  });

  it.concurrent('rejects a client certificate of another CA, and an expired one', async () => {
    const other = await issueCertificates();
    expect(await codeFor({ cert: other.client.certificate, key: other.client.key })).toBe(14);
    const expired = await harness.server.issueClient?.({
      notBefore: new Date(Date.now() - 7_200_000),
      notAfter: new Date(Date.now() - 3_600_000),
    });
    if (expired) expect(await codeFor(expired)).toBe(14);
  });

  it.concurrent('presents a certificate of its CA, with the names of the service', async () => {
    const other = await issueCertificates();
    expect(await codeFor({ ca: other.authority.certificate })).toBe(14);
    expect(await codeFor({}, 'goldmane.calico-system.svc.cluster.local')).toBe(0);
    expect(await codeFor({}, 'another.name')).toBe(14);
  });

  it.concurrent('answers UNIMPLEMENTED for the health service', async () => {
    await expect(harness.reader.call('/grpc.health.v1.Health/Check')).rejects.toMatchObject({ code: 12 });
    await expect(harness.reader.call('/goldmane.Flows/Nothing')).rejects.toMatchObject({ code: 12 });
  });

  it.concurrent('sends nothing on a stream, not even headers, before the first record', async () => {
    const ns = harness.namespace();
    const client = new Http2Client(harness.server);
    const stream = client.follow();
    let headers = 0;
    let bytes = 0;
    stream.on('response', () => headers++);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    // The other tests in this file send no records.
    await harness.nextBucket(3);
    expect([headers, bytes]).toEqual([0, 0]);
    await harness.feed([{ startSeconds: harness.bucket(), srcNamespace: ns }]);
    await until('the first record', () => bytes > 0, 20_000);
    expect(headers).toBe(1);
    client.close();
  });

  it.concurrent('closes an idle connection after three to five pings', async () => {
    const client = new Http2Client(harness.server);
    await client.ready();
    client.follow();
    let answered = 0;
    while (answered < 10 && (await client.ping())) answered++;
    await until('the end of the connection', () => client.closed, 5_000);
    expect(answered).toBeGreaterThanOrEqual(3);
    expect(answered).toBeLessThanOrEqual(5);
    expect(client.goaway).toEqual({ code: constants.NGHTTP2_ENHANCE_YOUR_CALM, data: 'too_many_pings' });
  });
});

describe.each(versions)('A connection to Goldmane %s that receives records', (version) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open({ version });
  });
  afterAll(() => harness?.close());

  it('allows two pings per bucket', async () => {
    const client = new Http2Client(harness.server);
    const stream = client.follow();
    let chunks = 0;
    stream.on('data', () => chunks++);
    for (let round = 0; round < 5; round++) {
      const before = chunks;
      await harness.feed([{ startSeconds: await harness.nextBucket(), srcNamespace: harness.namespace() }]);
      await until('a record', () => chunks > before, 20_000);
      for (let ping = 0; ping < 2; ping++) expect(await client.ping()).toBe(true);
    }
    expect(client.goaway).toBeUndefined();
    client.close();
  });
});
