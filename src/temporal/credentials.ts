import { errorCode } from '../failure/thrown.ts';
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { splitPemCertificates } from '../text/pem.ts';
import { temporalFailure, type TemporalFailure } from './failure.ts';

export type CredentialName = 'CLIENT_CERT' | 'CLIENT_KEY' | 'SERVER_CA_CERT';

const whatItIs: Record<CredentialName, string> = {
  CLIENT_CERT: 'client certificate',
  CLIENT_KEY: 'key of the client certificate',
  SERVER_CA_CERT: 'CA file',
};

/**
 * Checks that certificate, key and CA are PEM and belong together. The two TLS libraries (OpenSSL for commands, rustls for the
 * worker) do not report which file is wrong, and ignore different problems.
 * @throws TemporalFailure `credentials`
 */
export function checkCredentials(
  env: NodeJS.ProcessEnv,
  { connectionOptions: { tls } }: ClientConnectConfig,
): void {
  if (tls === undefined || typeof tls === 'boolean' || tls === null) return;
  const { serverRootCACertificate: ca, clientCertPair: pair } = tls;
  if (ca) parseCertificates(env, 'SERVER_CA_CERT', ca);
  if (!pair) return;
  const [leaf] = parseCertificates(env, 'CLIENT_CERT', pair.crt);
  if (!leaf?.checkPrivateKey(parseKey(env, pair.key)))
    throw unusable(
      `The ${nameOf(env, 'CLIENT_KEY')} does not match the ${nameOf(env, 'CLIENT_CERT')}`,
      'replace both files together; they are read again twice a minute',
    );
  try {
    createSecureContext({ cert: text(pair.crt), key: text(pair.key), ...(ca ? { ca: text(ca) } : {}) });
  } catch (error) {
    throw unusable(
      `OpenSSL rejects the ${nameOf(env, 'CLIENT_CERT')} or the ${nameOf(env, 'SERVER_CA_CERT')} (${errorCode(error, 'unknown error')})`,
      'issue certificates with a stronger key and signature',
    );
  }
}

/** @param reason for example `is missing` @returns the failure of a file that cannot be read */
export function credentialsUnreadable(
  env: NodeJS.ProcessEnv,
  name: CredentialName | 'API_KEY',
  reason: string,
): TemporalFailure {
  return unusable(
    `The ${nameOf(env, name)} ${reason}`,
    'mount the secret or correct the path; the file is read again twice a minute',
  );
}

/** @returns the failure of a file set in a profile of Temporal's configuration file */
export function profileFileUnreadable(path: string, reason: string): TemporalFailure {
  return unusable(
    `The file ${path}, named in Temporal's configuration file, ${reason}`,
    'mount the secret or correct the path; the file is read again twice a minute',
  );
}

/** The validity of the client certificate; undefined if there is no readable one. */
export function clientCertificateTimes({
  tls,
}: ClientConnectConfig['connectionOptions']): { notBefore: Date; notAfter: Date } | undefined {
  if (tls === undefined || typeof tls === 'boolean' || tls === null || !tls.clientCertPair) return undefined;
  try {
    const { validFrom, validTo } = new X509Certificate(text(tls.clientCertPair.crt));
    return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
  } catch {
    return undefined;
  }
}

/** @returns the CA file's content, in PEM; empty if the system's CAs are used */
export function caOf({ tls }: ClientConnectConfig['connectionOptions']): string {
  const ca = typeof tls === 'object' ? tls?.serverRootCACertificate : undefined;
  return ca ? text(ca) : '';
}

function parseCertificates(env: NodeJS.ProcessEnv, name: CredentialName, pem: Uint8Array): X509Certificate[] {
  const { blocks, isCutOff } = splitPemCertificates(text(pem));
  if (isCutOff)
    throw unusable(
      `The ${nameOf(env, name)} contains a truncated PEM certificate`,
      'write the whole file again; it is read twice a minute',
    );
  if (blocks.length === 0)
    throw unusable(
      `The ${nameOf(env, name)} contains no PEM certificate`,
      'put a PEM certificate into it; the file is read again twice a minute',
    );
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw unusable(
        `Certificate ${index + 1} of ${blocks.length} in the ${nameOf(env, name)} cannot be decoded`,
        'write the whole file again; it is read twice a minute',
      );
    }
  });
}

function parseKey(env: NodeJS.ProcessEnv, pem: Uint8Array): KeyObject {
  try {
    return createPrivateKey(text(pem));
  } catch {
    // OpenSSL's message could quote the key.
    throw unusable(
      `The ${nameOf(env, 'CLIENT_KEY')} is not an unencrypted PEM private key`,
      'use a PEM key without a passphrase; the file is read again twice a minute',
    );
  }
}

/** `client certificate /etc/temporal/tls.crt (TEMPORAL_TLS_CLIENT_CERT_PATH)` */
function nameOf(env: NodeJS.ProcessEnv, name: CredentialName | 'API_KEY'): string {
  if (name === 'API_KEY') return `API key ${env['TEMPORAL_API_KEY_FILE'] ?? ''} (TEMPORAL_API_KEY_FILE)`;
  const path = env[`TEMPORAL_TLS_${name}_PATH`];
  if (path !== undefined) return `${whatItIs[name]} ${path} (TEMPORAL_TLS_${name}_PATH)`;
  const isData = env[`TEMPORAL_TLS_${name}_DATA`] !== undefined;
  return `${whatItIs[name]} ${isData ? `in TEMPORAL_TLS_${name}_DATA` : "of Temporal's configuration file"}`;
}

function unusable(what: string, cure: string): TemporalFailure {
  return temporalFailure('credentials', what, cure);
}

function text(pem: Uint8Array): string {
  return Buffer.from(pem).toString('latin1');
}
