import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { rm } from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { issueCertificates, writeCertificates, type CertifiedKey } from '../../../dev/certificates.ts';
import { readCertificates } from '../../../src/goldmane/certificates.ts';
import { connectGoldmane } from '../../../src/goldmane/connection.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../../../src/goldmane/failure.ts';
import { tryHandshake } from '../../../src/goldmane/handshake.ts';
import type { GoldmaneConfig } from '../../../src/config/goldmane-config.ts';
import { startPair, startPeer, startTcp, writeTarget } from './peer.ts';
import { freePort, listen } from '../../../dev/ports.ts';

vi.setConfig({ testTimeout: 30_000 });
const issued = await issueCertificates();
const others = await issueCertificates();
const never = new AbortController().signal;

async function connect(target: GoldmaneConfig, signal: AbortSignal = never) {
  const connection = await connectGoldmane(target, { clock: systemClock, signal });
  onTestFinished(() => connection.close());
  return connection;
}

async function failureOf(connecting: Promise<unknown>): Promise<GoldmaneFailure> {
  return connecting.then(
    () => {
      throw new Error('the connection succeeded');
    },
    (error: unknown) => {
      if (isGoldmaneFailure(error)) return error;
      throw error;
    },
  );
}

function targetOf(
  port: number,
  rest: Partial<GoldmaneConfig> & { bundle?: string } = {},
  pair: CertifiedKey = issued.client,
) {
  return writeTarget(port, { pair, bundle: issued.authority.certificate, ...rest });
}

test('if only the second of two CAs with the same name signed the certificate, the message names that name', async () => {
  const server = await issued.authority.issue({
    usage: 'server',
    commonName: 'goldmane',
    names: ['localhost'],
    withKeyIdentifier: false,
  });
  const peer = await startPeer({ ...issued, server });
  const bundle = others.authority.certificate + issued.authority.certificate;
  const failure = await failureOf(connect(await targetOf(peer.port, { bundle })));
  expect(failure).toMatchObject({ kind: 'unknown_ca', code: 'CERT_SIGNATURE_FAILURE' });
  expect(failure.message).toContain('several CAs named CN=tigera-operator-signer');
  const swapped = issued.authority.certificate + others.authority.certificate;
  await connect(await targetOf(peer.port, { bundle: swapped }));
});

/** A TLS server that is not Goldmane. */
async function startTls(options: TlsOptions): Promise<number> {
  const server = createTlsServer({ key: issued.server.key, cert: issued.server.certificate, ...options });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  onTestFinished(() => void server.close());
  return listen(server);
}

describe('a connection is opened', () => {
  test('and reports the files used', async () => {
    const { target } = await startPair();
    const { bundle } = await readCertificates(target);
    expect((await connect(target)).bundle).toEqual(bundle);
  });

  test('to an address instead of a name', async () => {
    const { target, peer } = await startPair();
    await connect({ ...target, host: `127.0.0.1:${peer.port}` });
  });

  test('with the name in GOLDMANE_SERVER_NAME', async () => {
    const server = await issued.authority.issue({
      usage: 'server',
      commonName: 'goldmane',
      names: ['goldmane'],
    });
    const peer = await startPeer({ ...issued, server });
    const target = await targetOf(peer.port);
    expect((await failureOf(connect(target))).kind).toBe('wrong_server_name');
    await connect({ ...target, serverName: 'goldmane' });
  });

  test('to a server with any certificate, with GOLDMANE_TLS_INSECURE', async () => {
    const peer = await startPeer({ server: others.server, authority: issued.authority });
    const target = await targetOf(peer.port);
    expect((await failureOf(connect(target))).kind).toBe('unknown_ca');
    const connection = await connect({ ...target, insecure: true });
    expect((await failureOf(connection.list(1_500, never))).code).toBe('UNIMPLEMENTED');
    await rm(target.caPath);
    await connect({ ...target, insecure: true });
  });

  test('with the second CA of a bundle whose certificates were joined without a line break', async () => {
    const { target, issued: own } = await startPair();
    const joined = `${others.authority.certificate.trimEnd()}${own.authority.certificate}`;
    await writeCertificates(target.certPath.replace(/\/tls\.crt$/, ''), {
      pair: own.client,
      bundle: joined,
    });
    await connect(target);
  });

  test('with the current files: replaced files are used by the next connection', async () => {
    const { target, peer } = await startPair();
    const before = await connect(target);
    peer.stop();
    await startPeer(others, {}, peer.port);
    expect((await failureOf(connect(target))).kind).toBe('unknown_ca');
    const folder = target.certPath.replace(/\/tls\.crt$/, '');
    await writeCertificates(folder, { pair: others.client, bundle: others.authority.certificate });
    const after = await connect(target);
    expect(after.bundle.caFingerprint).not.toBe(before.bundle.caFingerprint);
    expect(after.bundle.certFingerprint).not.toBe(before.bundle.certFingerprint);
  });
});

describe('the cause of a failed connection is reported', () => {
  test('a CA bundle that did not sign the server', async () => {
    const peer = await startPeer(issued);
    const target = await targetOf(peer.port, {});
    await writeCertificates(target.caPath.replace(/\/tigera-ca-bundle\.crt$/, ''), {
      pair: others.client,
      bundle: others.authority.certificate,
    });
    const failure = await failureOf(connect(target));
    expect(failure.kind).toBe('unknown_ca');
    expect(failure.message).toContain(target.caPath);
    expect(failure.bundle).toBeDefined();
  });

  test('a client certificate that the server rejects', async () => {
    const peer = await startPeer(issued);
    const target = await targetOf(peer.port, {}, others.client);
    const failure = await failureOf(connect(target));
    expect(failure.kind).toBe('certificate_refused');
    expect(failure.message).toContain(target.certPath);
  });

  test('a server certificate that has expired', async () => {
    const server = await issued.authority.issue({
      usage: 'server',
      commonName: 'goldmane',
      names: ['localhost'],
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(Date.now() - 60_000),
    });
    const peer = await startPeer({ ...issued, server });
    expect((await failureOf(connect(await targetOf(peer.port)))).kind).toBe('server_certificate_expired');
  });

  test('a wrong server name, with the valid names', async () => {
    const peer = await startPeer(issued);
    const failure = await failureOf(connect(await targetOf(peer.port, { serverName: 'elsewhere' })));
    expect(failure.kind).toBe('wrong_server_name');
    for (const name of ['elsewhere', 'goldmane.calico-system.svc']) expect(failure.message).toContain(name);
  });

  test('a port where nothing listens', async () => {
    const port = await freePort();
    const failure = await failureOf(connect(await targetOf(port)));
    expect(failure.kind).toBe('connection_refused');
    expect(failure.message).toContain(`localhost:${port}`);
  });

  test('a name that does not resolve', async () => {
    const failure = await failureOf(connect(await targetOf(7443, { host: 'goldmane.invalid:7443' })));
    expect(failure.kind).toBe('dns');
    expect(failure.message).toContain('goldmane.invalid:7443');
  });

  test('an address that is not host:port', async () => {
    expect((await failureOf(connect(await targetOf(7443, { host: 'goldmane' })))).kind).toBe('dns');
  });

  test('a server that does not speak TLS', async () => {
    const port = await startTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const failure = await failureOf(connect(await targetOf(port)));
    expect(failure.kind).toBe('unavailable');
  });

  test('a server that speaks TLS, but not HTTP/2', async () => {
    const port = await startTls({});
    const failure = await failureOf(connect(await targetOf(port)));
    expect(failure.kind).toBe('unavailable');
  });

  test('a server that closes the connection', async () => {
    const port = await startTcp((socket) => socket.destroy());
    expect((await failureOf(connect(await targetOf(port)))).kind).toBe('unavailable');
  });

  test.each([
    ['before TLS', () => startTcp(() => undefined)],
    ['after TLS', () => startTls({ ALPNProtocols: ['h2'] })],
  ])('a server that is silent %s', async (_when, start) => {
    const target = await targetOf(await start());
    const certificates = await readCertificates(target);
    const failure = await failureOf(tryHandshake(target, certificates, { timeoutMs: 300, signal: never }));
    expect(failure.kind).toBe('timeout');
  });
});

describe('aborting', () => {
  test('before the connection rejects with the signal’s reason', async () => {
    const reason = new Error('enough');
    await expect(connect(await targetOf(7443), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('during the connection rejects with the signal’s reason', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const port = await startTcp(() => controller.abort(reason));
    await expect(connect(await targetOf(port), controller.signal)).rejects.toBe(reason);
  });
});
