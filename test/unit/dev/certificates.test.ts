import { readFile, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/failure/thrown.ts';
import {
  createAuthority,
  GOLDMANE_NAMES,
  issueCertificates,
  writeCertificates,
  type IssuedCertificates,
} from '../../../dev/certificates.ts';
import { listen } from '../../../dev/ports.ts';
import { folderOfTest } from '../../support/folder.ts';

const past = new Date(Date.now() - 60_000);

/** The result of a handshake with these certificates: authorized, or an error code. */
async function shakeHands(
  { authority, server, client }: IssuedCertificates,
  { servername = 'goldmane.calico-system.svc', trusts = authority.certificate } = {},
): Promise<string> {
  const listener = createServer(
    {
      cert: server.certificate,
      key: server.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => socket.end('welcome'),
  );
  const port = await listen(listener);
  try {
    return await new Promise((resolve) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername,
        ca: trusts,
        cert: client.certificate,
        key: client.key,
      });
      socket.on('data', (data: Buffer) => resolve(data.toString()));
      socket.on('error', (error: Error) => resolve(errorCode(error) ?? error.message));
      socket.on('close', () => resolve('closed'));
    });
  } finally {
    listener.close();
  }
}

describe('issued certificates', () => {
  test('let client and server trust each other', async () => {
    expect(await shakeHands(await issueCertificates())).toBe('welcome');
  });

  test.each(GOLDMANE_NAMES.filter((name) => !/^[0-9.]+$/.test(name)))(
    'contain the name %s',
    async (servername) => {
      expect(await shakeHands(await issueCertificates(), { servername })).toBe('welcome');
    },
  );

  test('are rejected with another name, an expired validity, or another CA', async () => {
    const misnamed = await issueCertificates({ server: { names: ['whisker'] } });
    expect(await shakeHands(misnamed)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    const expired = await issueCertificates({ server: { notAfter: past } });
    expect(await shakeHands(expired)).toBe('CERT_HAS_EXPIRED');
    const otherAuthority = await createAuthority();
    expect(await shakeHands(await issueCertificates(), { trusts: otherAuthority.certificate })).toMatch(
      /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    );
  });

  test('of an expired client are rejected by the server', async () => {
    const expired = await issueCertificates({ client: { notAfter: past } });
    expect(await shakeHands(expired)).toMatch(/ALERT_CERTIFICATE_EXPIRED|ECONNRESET|closed/);
  });

  test('are written like the mounted files, with a key readable only by its owner', async () => {
    const directory = await folderOfTest();
    const { authority, client } = await issueCertificates();
    const paths = await writeCertificates(directory, { pair: client, bundle: authority.certificate });
    expect(await readFile(paths.certPath, 'utf8')).toBe(client.certificate);
    expect(await readFile(paths.caPath, 'utf8')).toBe(authority.certificate);
    expect((await stat(paths.keyPath)).mode & 0o777).toBe(0o600);
  });
});
