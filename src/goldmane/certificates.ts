import { errorCode } from '../failure/thrown.ts';
import { Buffer } from 'node:buffer';
import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { findAnchor } from './certificate-chain.ts';
import { goldmaneFailure, type GoldmaneFailure, type CertificateBundle } from './failure.ts';
import { copyCertificatesAgain } from '../text/certificate-copies.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';
import { separatePemBlocks, splitPemCertificates } from '../text/pem.ts';

/** The certificate files, read together and checked to match each other. */
export interface Certificates {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly bundle: CertificateBundle;
  /** Whether a CA of the bundle signed the client certificate; undefined if the server is not verified. */
  readonly isSignedByBundle: boolean | undefined;
}

/** The contents of the files, parsed separately; not checked to be valid or to match. */
export interface CertificateFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The client certificate, and the certificates after it in the file. */
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
  /** Undefined if the server is not verified. */
  readonly authorities: readonly X509Certificate[] | undefined;
  readonly privateKey: KeyObject;
  readonly bundle: CertificateBundle;
}

/**
 * Reads certificate, key and CA bundle. Throws GoldmaneFailure (`certificate_unreadable`, `certificate_expired`) if
 * they cannot work, with the path of the file, never its content.
 */
export async function readCertificates(target: GoldmaneConfig): Promise<Certificates> {
  const { certPath, keyPath } = target;
  const { leaf, chain, authorities, privateKey, bundle, ...pems } = await readCertificateFiles(target);
  if (!leaf.checkPrivateKey(privateKey))
    throw unreadable(
      `The key ${keyPath} does not match the certificate ${certPath}; possibly only one of the two files was replaced`,
    );
  checkValidity(leaf, certPath, bundle);
  checkAcceptable(pems, target);
  return {
    ...pems,
    bundle,
    isSignedByBundle: authorities && findAnchor(leaf, chain, authorities) !== undefined,
  };
}

/** Reads and parses the three files. Throws GoldmaneFailure (`certificate_unreadable`). */
export async function readCertificateFiles(target: GoldmaneConfig): Promise<CertificateFiles> {
  const { certPath, keyPath, caPath, insecure } = target;
  const [cert, key, ca] = await Promise.all([
    read(certPath, 'client certificate (TLS_CERT_PATH)'),
    read(keyPath, "client certificate's key (TLS_KEY_PATH)"),
    // The server is not verified then.
    read(caPath, 'CA bundle (CA_CERT_PATH)').catch((error: unknown) => {
      if (insecure) return Buffer.alloc(0);
      throw error;
    }),
  ]);
  const chain = parseCertificates(cert, `the client certificate ${certPath}`);
  const authorities = insecure ? undefined : parseCertificates(ca, `the CA bundle ${caPath}`);
  const [leaf] = chain;
  if (!leaf) throw unreadable(`The client certificate ${certPath} contains no PEM certificate`);
  return {
    ca,
    cert,
    key,
    leaf,
    chain: chain.slice(1),
    authorities,
    privateKey: parseKey(key, keyPath),
    bundle: {
      caFingerprint: createHash('sha256').update(ca).digest('hex'),
      certFingerprint: createHash('sha256').update(leaf.raw).digest('hex'),
      certNotAfter: new Date(leaf.validTo),
    },
  };
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return Buffer.from(separatePemBlocks(await readFile(path, 'latin1')), 'latin1');
  } catch (error) {
    const code = errorCode(error, 'unknown error');
    const reason =
      code === 'ENOENT'
        ? 'is missing'
        : code === 'EACCES'
          ? 'is not readable by this process'
          : `cannot be read (${code})`;
    throw unreadable(`The ${what} ${path} ${reason}`, code);
  }
}

function parseCertificates(pem: Buffer, what: string): X509Certificate[] {
  const { blocks, isCutOff } = splitPemCertificates(pem.toString('latin1'));
  // TLS would reject the whole file or stop reading at the damaged block.
  if (isCutOff)
    throw unreadable(`${capitalised(what)} contains a truncated PEM certificate; copy the file again`);
  if (blocks.length === 0) throw unreadable(`${capitalised(what)} contains no PEM certificate`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw unreadable(`${capitalised(what)} contains a certificate that cannot be decoded`);
  }
}

function parseKey(pem: Buffer, keyPath: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's message about a key is omitted, because it might quote the key.
    throw unreadable(`The key ${keyPath} is not an unencrypted PEM private key`);
  }
}

function checkValidity(leaf: X509Certificate, certPath: string, bundle: CertificateBundle): void {
  // Not the trail's clock: both ends of a TLS connection use the machine's clock.
  const nowMs = Date.now();
  if (nowMs > bundle.certNotAfter.getTime())
    throw goldmaneFailure({
      kind: 'certificate_expired',
      what: `The client certificate ${certPath} expired at ${bundle.certNotAfter.toISOString()}`,
      cure: copyCertificatesAgain,
      bundle,
    });
  const notBefore = new Date(leaf.validFrom);
  if (nowMs < notBefore.getTime())
    throw goldmaneFailure({
      kind: 'certificate_expired',
      what: `The client certificate ${certPath} is not valid before ${notBefore.toISOString()}`,
      cure: "Check this machine's clock",
      bundle,
    });
}

/** OpenSSL rejects keys and signatures that it considers too weak. */
export function checkAcceptable(pems: SecureContextOptions, { certPath, caPath }: GoldmaneConfig): void {
  try {
    createSecureContext(pems);
  } catch (error) {
    const code = errorCode(error, 'unknown error');
    throw unreadable(`OpenSSL rejects the certificates in ${certPath} and ${caPath} (${code})`, code);
  }
}

function unreadable(what: string, code?: string): GoldmaneFailure {
  return goldmaneFailure({ kind: 'certificate_unreadable', what, cure: copyCertificatesAgain, code });
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
