import { constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCertificates } from '../../dev/certificates.ts';
import { versions } from './environment.ts';
import { Http2Client } from './http2-client.ts';
import { Reader } from './reader.ts';
import { Scene } from './scene.ts';
import type { Server } from './server.ts';
import { until } from './waiting.ts';

describe.each(versions)('The transport of %s', (version) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ version });
  });
  afterAll(() => scene?.close());

  /** The status code that a reader with this certificate, bundle or name gets. */
  async function codeFor(tls: Partial<Server['target']['tls']>, serverName = 'goldmane'): Promise<number> {
    const target = { ...scene.server.target, serverName, tls: { ...scene.server.target.tls, ...tls } };
    const reader = new Reader({ ...scene.server, target });
    try {
      await reader.list(scene.bucket(-20), scene.bucket(-19), 20_000);
      return 0;
    } catch (error) {
      return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : -1;
    } finally {
      reader.close();
    }
  }

  it.concurrent('takes a client of its CA, whatever its name', async () => {
    const client = await scene.server.issueClient?.({ commonName: 'nobody-in-particular' });
    expect(await codeFor(client ?? {})).toBe(0);
  });

  it.concurrent('refuses a client of another CA, and one that has expired', async () => {
    const stranger = await issueCertificates();
    expect(await codeFor({ cert: stranger.client.certificate, key: stranger.client.key })).toBe(14);
    const expired = await scene.server.issueClient?.({
      notBefore: new Date(Date.now() - 7_200_000),
      notAfter: new Date(Date.now() - 3_600_000),
    });
    if (expired) expect(await codeFor(expired)).toBe(14);
  });

  it.concurrent('shows a certificate of its CA, with the names of the service', async () => {
    const stranger = await issueCertificates();
    expect(await codeFor({ ca: stranger.authority.certificate })).toBe(14);
    expect(await codeFor({}, 'goldmane.calico-system.svc.cluster.local')).toBe(0);
    expect(await codeFor({}, 'another.name')).toBe(14);
  });

  it.concurrent('has no health service, and says so', async () => {
    await expect(scene.reader.call('/grpc.health.v1.Health/Check')).rejects.toMatchObject({ code: 12 });
    await expect(scene.reader.call('/goldmane.Flows/Nothing')).rejects.toMatchObject({ code: 12 });
  });

  it.concurrent('says nothing on a stream, not even headers, before the first record', async () => {
    const ns = scene.namespace();
    const client = new Http2Client(scene.server);
    const stream = client.follow();
    let headers = 0;
    let bytes = 0;
    stream.on('response', () => headers++);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    // Other tests of this file send no records.
    await scene.nextBucket(3);
    expect([headers, bytes]).toEqual([0, 0]);
    await scene.feed([{ startSeconds: scene.bucket(), srcNamespace: ns }]);
    await until('the first record', () => bytes > 0, 20_000);
    expect(headers).toBe(1);
    client.close();
  });

  it.concurrent('ends a connection whose client pings while nothing is sent: the fourth time at the latest', async () => {
    const client = new Http2Client(scene.server);
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

describe.each(versions)('A connection to %s on which records arrive', (version) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ version });
  });
  afterAll(() => scene?.close());

  it('may be pinged twice between one bucket and the next', async () => {
    const client = new Http2Client(scene.server);
    const stream = client.follow();
    let chunks = 0;
    stream.on('data', () => chunks++);
    for (let round = 0; round < 5; round++) {
      const before = chunks;
      await scene.feed([{ startSeconds: await scene.nextBucket(), srcNamespace: scene.namespace() }]);
      await until('a record', () => chunks > before, 20_000);
      for (let ping = 0; ping < 2; ping++) expect(await client.ping()).toBe(true);
    }
    expect(client.goaway).toBeUndefined();
    client.close();
  });
});
