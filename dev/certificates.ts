// @peculiar/x509 uses tsyringe, which needs this polyfill to be loaded first.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** The names on a real Goldmane's serving certificate, and the local names. */
export const GOLDMANE_NAMES: readonly string[] = [
  'goldmane',
  'goldmane.calico-system.svc',
  'goldmane.calico-system.svc.cluster.local',
  'localhost',
  '127.0.0.1',
];

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  certificate: string;
  key: string;
}

/** A certificate authority that can sign. `certificate` is PEM. */
export interface CertificateAuthority {
  readonly certificate: string;
  /** Signs a new key pair. A server certificate carries `names` (DNS names and IP addresses) as its SANs. */
  issue(request: IssueRequest): Promise<CertifiedKey>;
  /** Signs an intermediate authority. Certificates that it issues must be presented together with its own. */
  issueAuthority(options?: AuthorityOptions): Promise<CertificateAuthority>;
}

export interface IssueRequest {
  usage: 'server' | 'client';
  commonName: string;
  names?: readonly string[];
  /** Default: five minutes ago. */
  notBefore?: Date;
  /** Default: 30 days from now. */
  notAfter?: Date;
  /** Default true: the certificate identifies the key that signed it, so the correct one of two CAs with the same
   * name is found.
   */
  withKeyIdentifier?: boolean;
}

interface AuthorityOptions {
  commonName?: string;
  notBefore?: Date;
  notAfter?: Date;
}

/**
 * Creates a new self-signed authority (ECDSA P-256). Authorities of different calls do not trust each other's
 * certificates.
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    { ...(await authorityParams(options, keys, 1)), keys },
    webcrypto,
  );
  return authorityOf(root, keys.privateKey);
}

async function issueAuthorityFrom(
  root: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  options: AuthorityOptions,
): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const { name: subject, ...params } = await authorityParams(
    { commonName: 'tigera-operator-intermediate', ...options },
    keys,
    0,
  );
  const certificate = await x509.X509CertificateGenerator.create(
    { ...params, subject, issuer: root.subject, publicKey: keys.publicKey, signingKey },
    webcrypto,
  );
  return authorityOf(certificate, keys.privateKey);
}

function authorityOf(own: x509.X509Certificate, signingKey: webcrypto.CryptoKey): CertificateAuthority {
  return {
    certificate: `${own.toString('pem')}\n`,
    issue: (request) => issueFrom(own, signingKey, request),
    issueAuthority: (options = {}) => issueAuthorityFrom(own, signingKey, options),
  };
}

async function authorityParams(
  { commonName = 'tigera-operator-signer', notBefore, notAfter }: AuthorityOptions,
  keys: webcrypto.CryptoKeyPair,
  below: number,
) {
  return {
    serialNumber: serialNumber(),
    name: distinguishedName(commonName),
    notBefore: notBefore ?? minutesFromNow(-5),
    notAfter: notAfter ?? daysFromNow(365),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, below, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
    ],
  };
}

async function issueFrom(
  root: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  request: IssueRequest,
): Promise<CertifiedKey> {
  const keys = await generateKeys();
  const usage =
    request.usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage]),
    ...(request.withKeyIdentifier === false
      ? []
      : [await x509.AuthorityKeyIdentifierExtension.create(root, false, webcrypto)]),
  ];
  if (request.names && request.names.length > 0) {
    extensions.push(
      new x509.SubjectAlternativeNameExtension(
        request.names.map((name) => ({ type: isIpAddress(name) ? 'ip' : 'dns', value: name })),
      ),
    );
  }
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: distinguishedName(request.commonName),
      issuer: root.subject,
      notBefore: request.notBefore ?? minutesFromNow(-5),
      notAfter: request.notAfter ?? daysFromNow(30),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions,
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}

interface CertificateOptions {
  /** Signs both certificates; default: a fresh authority. */
  authority?: CertificateAuthority;
  server?: Partial<IssueRequest>;
  client?: Partial<IssueRequest>;
}

/** Everything that both ends of an mTLS connection need, as PEM. */
export interface IssuedCertificates {
  authority: CertificateAuthority;
  server: CertifiedKey;
  client: CertifiedKey;
}

/**
 * Issues the certificates for Goldmane and a reader: a server certificate with Goldmane's names and a client
 * certificate, both signed by one authority. Tests create broken ones with the options: different `names`, times in the
 * past, a different `authority`, or by combining one pair's certificate with another pair's key.
 */
export async function issueCertificates(options: CertificateOptions = {}): Promise<IssuedCertificates> {
  const authority = options.authority ?? (await createAuthority());
  const [server, client] = await Promise.all([
    authority.issue({ usage: 'server', commonName: 'goldmane', names: GOLDMANE_NAMES, ...options.server }),
    authority.issue({ usage: 'client', commonName: 'whisker-backend', ...options.client }),
  ]);
  return { authority, server, client };
}

/** Paths of a written pair and its bundle; the file names are those of the mounted secret and config map. */
export interface CertificateFiles {
  certPath: string;
  keyPath: string;
  caPath: string;
}

/**
 * Writes `tls.crt`, `tls.key` (0600) and `tigera-ca-bundle.crt` into `directory`, each replaced atomically, so that a
 * reader sees either the old or the new file, as with a mounted secret.
 */
export async function writeCertificates(
  directory: string,
  { pair, bundle }: { pair: CertifiedKey; bundle: string },
): Promise<CertificateFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = {
    certPath: join(directory, 'tls.crt'),
    keyPath: join(directory, 'tls.key'),
    caPath: join(directory, 'tigera-ca-bundle.crt'),
  };
  await replaceFile(files.keyPath, pair.key, 0o600);
  await replaceFile(files.certPath, pair.certificate, 0o644);
  await replaceFile(files.caPath, bundle, 0o644);
  return files;
}

async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, content, { mode, flag: 'wx' });
  await rename(draft, path);
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function serialNumber(): string {
  // A leading 0 bit keeps the number positive; the 1 bit after it keeps its length.
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function distinguishedName(commonName: string): string {
  return new x509.Name([{ CN: [commonName] }]).toString();
}

function isIpAddress(name: string): boolean {
  return /^[0-9.]+$|:/.test(name);
}

function minutesFromNow(minutes: number): Date {
  return new Date(Date.now() + minutes * 60_000);
}

function daysFromNow(days: number): Date {
  return minutesFromNow(days * 24 * 60);
}
