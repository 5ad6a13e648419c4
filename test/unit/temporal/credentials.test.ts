import { rm, writeFile } from 'node:fs/promises';
import { createServer, type TlsOptions } from 'node:tls';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority, issueCertificates } from '../../../dev/certificates.ts';
import { explainDial } from '../../../src/temporal/explain-failure.ts';
import { temporalConfig } from '../../../src/temporal/settings.ts';
import { listen } from '../../../dev/ports.ts';
import { folderPerFile } from '../../support/folder.ts';

const issued = await issueCertificates();
const others = await issueCertificates();
const folder = folderPerFile();

const good = {
  CLIENT_CERT: issued.client.certificate,
  CLIENT_KEY: issued.client.key,
  SERVER_CA_CERT: issued.authority.certificate,
};

/** An environment with the files, some with changed content. */
async function envOf(changed: Partial<typeof good>): Promise<NodeJS.ProcessEnv> {
  const env: NodeJS.ProcessEnv = { TEMPORAL_TLS: 'true', HOME: folder };
  for (const [name, content] of Object.entries({ ...good, ...changed })) {
    const path = join(folder, `${name}-${Math.random()}`);
    await writeFile(path, content);
    env[`TEMPORAL_TLS_${name}_PATH`] = path;
  }
  return env;
}

function failureOf(env: NodeJS.ProcessEnv): unknown {
  try {
    return temporalConfig(env);
  } catch (error) {
    return error;
  }
}

describe('credential files', () => {
  test('that match are read', async () => {
    const { connectionOptions } = temporalConfig(await envOf({}));
    expect(connectionOptions.tls).toMatchObject({ clientCertPair: expect.anything() });
  });

  test.each<[string, Partial<typeof good>]>([
    ['CLIENT_CERT', { CLIENT_CERT: '' }],
    ['CLIENT_CERT', { CLIENT_CERT: good.CLIENT_CERT.slice(0, 300) + good.CLIENT_CERT }],
    ['CLIENT_CERT', { CLIENT_CERT: good.CLIENT_CERT.replace('MII', 'AAA') }],
    ['CLIENT_KEY', { CLIENT_KEY: 'no key' }],
    ['CLIENT_KEY', { CLIENT_KEY: others.client.key }],
    ['SERVER_CA_CERT', { SERVER_CA_CERT: 'no certificate' }],
    ['SERVER_CA_CERT', { SERVER_CA_CERT: good.SERVER_CA_CERT + good.SERVER_CA_CERT.slice(0, 100) }],
  ])('an unusable %s is reported with its path and not quoted', async (name, changed) => {
    const env = await envOf(changed);
    const failure = failureOf(env);
    expect(failure).toMatchObject({ system: 'temporal', kind: 'credentials', retryable: true });
    const message = failure instanceof Error ? failure.message : '';
    expect(message).toContain(env[`TEMPORAL_TLS_${name}_PATH`]);
    for (const line of Object.values(changed).join('\n').split('\n'))
      if (line.length > 20 && !line.startsWith('-----')) expect(message).not.toContain(line);
  });

  test.each(['CLIENT_CERT', 'CLIENT_KEY', 'SERVER_CA_CERT'])('%s that is missing', async (name) => {
    const env = await envOf({});
    await rm(env[`TEMPORAL_TLS_${name}_PATH`] ?? '');
    expect(failureOf(env)).toMatchObject({
      kind: 'credentials',
      message: expect.stringContaining(`TEMPORAL_TLS_${name}_PATH`),
    });
  });

  test('a missing file of a profile is reported with its path', async () => {
    const profile = join(folder, 'temporal.toml');
    const missing = join(folder, 'missing.crt');
    await writeFile(
      profile,
      `[profile.default.tls]\nclient_cert_path = "${missing}"\nclient_key_path = "${missing}"\n`,
    );
    expect(failureOf({ TEMPORAL_CONFIG_FILE: profile })).toMatchObject({
      kind: 'credentials',
      message: expect.stringContaining(missing),
    });
  });

  test('an API key with several lines is rejected and not quoted, because gRPC would quote it', () => {
    const refused = () => temporalConfig({ TEMPORAL_API_KEY: 'one-secret\nanother-secret' });
    expect(refused).toThrow(/TEMPORAL_API_KEY/);
    expect(refused).not.toThrow(/secret/);
  });

  test('a directory, which container runtimes create at the path of a missing file, is named with its setting', () => {
    expect(failureOf({ TEMPORAL_API_KEY_FILE: folder })).toMatchObject({
      kind: 'credentials',
      message: expect.stringMatching(/TEMPORAL_API_KEY_FILE.*directory/),
    });
    expect(failureOf({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: folder })).toMatchObject({
      kind: 'credentials',
      message: expect.stringMatching(/TEMPORAL_TLS_SERVER_CA_CERT_PATH.*directory/),
    });
    expect(() => temporalConfig({ TEMPORAL_CONFIG_FILE: folder })).toThrow(/TEMPORAL_CONFIG_FILE/);
  });

  test.each(['', '\n', 'two\nlines', 'schlüssel'])('an API key file that contains %j', async (content) => {
    const path = join(folder, `key-${Math.random()}`);
    await writeFile(path, content);
    const failure = failureOf({ TEMPORAL_API_KEY_FILE: path });
    expect(failure).toMatchObject({ kind: 'credentials', message: expect.stringContaining(path) });
  });
});

describe('a failed connection', () => {
  async function explained(options: TlsOptions, changed: Partial<typeof good> = {}): Promise<unknown> {
    const server = createServer({
      cert: issued.server.certificate,
      key: issued.server.key,
      ALPNProtocols: ['h2'],
      ...options,
    });
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      socket.write(Buffer.from('000000040000000000', 'hex'));
    });
    const port = await listen(server);
    onTestFinished(() => void server.close());
    const env = { ...(await envOf(changed)), TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
    return explainDial(temporalConfig(env).connectionOptions);
  }
  const asks = { requestCert: true, rejectUnauthorized: true };
  const day = 86_400_000;

  test('is not explained if the connection succeeds', async () => {
    expect(await explained({ ...asks, ca: issued.authority.certificate })).toBeUndefined();
  });

  test('because another CA signed its certificate', async () => {
    expect(await explained({}, { SERVER_CA_CERT: others.authority.certificate })).toMatchObject({
      kind: 'server_untrusted',
    });
  });

  test('because its certificate expired, which no CA file can fix', async () => {
    const { certificate, key } = await issued.authority.issue({
      usage: 'server',
      commonName: 'temporal',
      names: ['127.0.0.1'],
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    });
    expect(await explained({ cert: certificate, key })).toMatchObject({
      kind: 'server_certificate_expired',
    });
  });

  test('because its certificate is for a different name', async () => {
    const { certificate, key } = await issued.authority.issue({
      usage: 'server',
      commonName: 'temporal',
      names: ['temporal.example'],
    });
    expect(await explained({ cert: certificate, key })).toMatchObject({ kind: 'wrong_server_name' });
  });

  test('because the first of two CAs with the same name did not sign it', async () => {
    const namesake = await createAuthority();
    const { certificate, key } = await issued.authority.issue({
      usage: 'server',
      commonName: 'temporal',
      names: ['127.0.0.1'],
      withKeyIdentifier: false,
    });
    const failure = await explained(
      { cert: certificate, key },
      { SERVER_CA_CERT: namesake.certificate + issued.authority.certificate },
    );
    expect(failure).toMatchObject({
      kind: 'server_untrusted',
      message: expect.stringContaining('several CAs named CN=tigera-operator-signer'),
    });
  });

  test('because it rejects the client certificate', async () => {
    expect(await explained({ ...asks, ca: others.authority.certificate })).toMatchObject({
      kind: 'client_certificate_refused',
    });
  });

  test('because the client certificate expired', async () => {
    const { certificate, key } = await issued.authority.issue({
      usage: 'client',
      commonName: 'flow-trail',
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    });
    const failure = await explained(
      { ...asks, ca: issued.authority.certificate },
      { CLIENT_CERT: certificate, CLIENT_KEY: key },
    );
    expect(failure).toMatchObject({ kind: 'client_certificate_expired' });
  });
});
