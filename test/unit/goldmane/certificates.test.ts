import { createHash, X509Certificate } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createAuthority, issueCertificates } from '../../../dev/certificates.ts';
import { readCertificates } from '../../../src/goldmane/certificates.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../../../src/goldmane/failure.ts';
import type { GoldmaneConfig } from '../../../src/config/goldmane-config.ts';
import { writeTarget } from './peer.ts';

const issued = await issueCertificates();
const others = await issueCertificates();

async function files(rest: Partial<GoldmaneConfig> = {}, pair = issued.client): Promise<GoldmaneConfig> {
  return writeTarget(7443, { pair, bundle: issued.authority.certificate, ...rest });
}

async function failureOf(target: GoldmaneConfig): Promise<GoldmaneFailure> {
  return readCertificates(target).then(
    () => {
      throw new Error('the certificates were accepted');
    },
    (error: unknown) => {
      if (isGoldmaneFailure(error)) return error;
      throw error;
    },
  );
}

test('matching files are accepted, with the fingerprints of the bundle and of the certificate', async () => {
  const { bundle, isSignedByBundle } = await readCertificates(await files());
  const leaf = new X509Certificate(issued.client.certificate);
  expect(bundle).toEqual({
    caFingerprint: createHash('sha256').update(issued.authority.certificate).digest('hex'),
    certFingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    certNotAfter: new Date(leaf.validTo),
  });
  expect(isSignedByBundle).toBe(true);
});

test('a certificate of another authority is accepted but marked', async () => {
  expect((await readCertificates(await files({}, others.client))).isSignedByBundle).toBe(false);
});

test('a bundle may contain several authorities and other text', async () => {
  const target = await files();
  await writeFile(
    target.caPath,
    `# rotated\n${others.authority.certificate}\n${issued.authority.certificate}`,
  );
  expect((await readCertificates(target)).isSignedByBundle).toBe(true);
});

test.each(['certPath', 'caPath'] as const)(
  'a truncated PEM block before a valid one in %s is reported',
  async (path) => {
    const target = await files();
    const good = path === 'caPath' ? issued.authority.certificate : issued.client.certificate;
    await writeFile(target[path], `${good.slice(0, 400)}\n${good}`);
    const failure = await failureOf(target);
    expect(failure.kind).toBe('certificate_unreadable');
  },
);

test('with GOLDMANE_TLS_INSECURE the bundle may be missing', async () => {
  const target = await files({ insecure: true });
  await rm(target.caPath);
  expect((await readCertificates(target)).isSignedByBundle).toBeUndefined();
});

describe('an unusable file is named', () => {
  test.each(['certPath', 'keyPath', 'caPath'] as const)('%s that is missing', async (path) => {
    const target = await files();
    await rm(target[path]);
    const failure = await failureOf(target);
    expect(failure.kind).toBe('certificate_unreadable');
    expect(failure.message).toContain(target[path]);
  });

  test.each(['certPath', 'keyPath', 'caPath'] as const)(
    '%s with invalid content, which is not quoted',
    async (path) => {
      const target = await files();
      await writeFile(target[path], 'c2VjcmV0LWNvbnRlbnQ=');
      const failure = await failureOf(target);
      expect(failure.kind).toBe('certificate_unreadable');
      expect(failure.message).toContain(target[path]);
      expect(failure.message).not.toContain('c2VjcmV0');
    },
  );

  test('a PEM block that is not a certificate', async () => {
    const target = await files();
    await writeFile(target.caPath, '-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n');
    const failure = await failureOf(target);
    expect(failure.kind).toBe('certificate_unreadable');
    expect(failure.message).toContain(target.caPath);
  });

  test('a key of another certificate', async () => {
    const target = await files({}, { certificate: issued.client.certificate, key: others.client.key });
    const failure = await failureOf(target);
    expect(failure.kind).toBe('certificate_unreadable');
    for (const path of [target.keyPath, target.certPath]) expect(failure.message).toContain(path);
    expect(failure.message).not.toContain('PRIVATE');
  });

  test('an expired certificate', async () => {
    const notAfter = new Date(Date.now() - 60_000);
    const client = await issued.authority.issue({
      usage: 'client',
      commonName: 'whisker-backend',
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter,
    });
    const failure = await failureOf(await files({}, client));
    expect(failure.kind).toBe('certificate_expired');
    expect(failure.message).toContain(notAfter.toISOString().slice(0, 19));
    expect(failure.bundle?.certNotAfter.getTime()).toBeLessThan(Date.now());
  });

  test('a certificate that is not valid yet', async () => {
    const authority = await createAuthority();
    const client = await authority.issue({
      usage: 'client',
      commonName: 'whisker-backend',
      notBefore: new Date(Date.now() + 3_600_000),
    });
    const failure = await failureOf(await files({}, client));
    expect(failure.kind).toBe('certificate_expired');
  });
});
