import { readFile } from 'node:fs/promises';
import { rootCertificates, type ConnectionOptions } from 'node:tls';
import type pg from 'pg';
import type { DatabaseTarget, SslMode } from '../../config/database-url.ts';
import { separatePemBlocks } from '../../text/pem.ts';
import { databaseFailure } from './database-failure.ts';

/** One way to connect: a host, with or without TLS. */
export type ConnectAttempt = Pick<
  pg.ClientConfig,
  'host' | 'port' | 'user' | 'password' | 'database' | 'ssl' | 'sslnegotiation' | 'enableChannelBinding'
>;

/**
 * The attempts in order: each host, and with `sslmode` `allow` and `prefer` each host with and without TLS, as libpq does.
 * Reads the certificate files.
 * @throws DatabaseFailure `tls_file`
 */
export async function connectAttempts(target: DatabaseTarget): Promise<ConnectAttempt[]> {
  const encrypted = target.sslMode === 'disable' ? undefined : await tlsOptions(target);
  return target.hosts.flatMap(({ host, port }) =>
    (host.startsWith('/') ? [false as const] : waysOf(target.sslMode)).map((isEncrypted) => ({
      host,
      port,
      database: target.database,
      ...(target.user === undefined ? {} : { user: target.user }),
      ...(target.password === undefined ? {} : { password: target.password }),
      ...(isEncrypted && encrypted
        ? {
            ssl: { ...encrypted },
            sslnegotiation: target.sslNegotiation,
            enableChannelBinding: target.channelBinding !== 'disable',
          }
        : { ssl: false }),
    })),
  );
}

function waysOf(mode: SslMode): boolean[] {
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, true];
    case 'prefer':
      return [true, false];
    default:
      return [true];
  }
}

/** PostgreSQL manual, 34.19.1: below verify-ca the server's certificate is verified only where sslrootcert is given. */
async function tlsOptions({
  sslMode,
  sslRootCert,
  sslCert,
  sslKey,
}: DatabaseTarget): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all([
    sslRootCert === 'system' ? [...rootCertificates] : readPem('sslrootcert', sslRootCert),
    readPem('sslcert', sslCert),
    readPem('sslkey', sslKey),
  ]);
  const isVerified = sslMode === 'verify-full' || ca !== undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: isVerified,
    ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function readPem(parameter: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = separatePemBlocks(await readFile(path, 'utf8'));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw databaseFailure('tls_file', `${parameter} file ${path} cannot be read (${code})`);
  }
  if (!/-----BEGIN [A-Z ]+-----[\s\S]+-----END [A-Z ]+-----/.test(text))
    throw databaseFailure('tls_file', `${parameter} file ${path} contains no PEM block`);
  return text;
}
