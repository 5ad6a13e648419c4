import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import {
  databaseFailure,
  databaseFailureKinds,
  isConflict,
} from '../../../src/trail/database/database-failure.ts';
import { toDatabaseFailure } from '../../../src/trail/database/explain-database-error.ts';

function failed(code: string | undefined, message = 'something happened'): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe('database failures are classified', () => {
  test.each([
    ['password_refused', '28P01'],
    ['role_refused', '28000'],
    ['no_database', '3D000'],
    ['no_schema', '42P01'],
    ['no_schema', '42703'],
    ['no_schema', '3F000'],
    ['no_permission', '42501'],
    ['read_only', '25006'],
    ['starting', '57P03'],
    ['full', '53100'],
    ['too_many_connections', '53300'],
    ['lost', '57P01'],
    ['lost', '57P02'],
    ['lost', '25P03'],
    ['lost', '40003'],
    ['lost', '08006'],
    ['lost', 'ECONNRESET'],
    ['lost', 'EPIPE'],
    ['timeout', '57014'],
    ['timeout', '55P03'],
    ['timeout', 'ETIMEDOUT'],
    ['connection_refused', 'ECONNREFUSED'],
    ['unreachable', 'EHOSTUNREACH'],
    ['unreachable', 'ENETUNREACH'],
    ['dns', 'ENOTFOUND'],
    ['dns', 'EAI_AGAIN'],
    ['tls_untrusted', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['tls_host_name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['tls_expired', 'CERT_HAS_EXPIRED'],
    ['tls_failed', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    ['tls_file', 'ERR_OSSL_PEM_BAD_END_LINE'],
    ['unexpected', '22P02'],
    ['unexpected', 'XX000'],
  ])('%s: %s', (kind, code) => {
    expect(toDatabaseFailure(failed(code))).toMatchObject({ kind, sqlState: code });
  });

  test.each([
    ['timeout', 'timeout exceeded when trying to connect'],
    ['timeout', 'Query read timeout'],
    ['timeout', 'Connection terminated due to connection timeout'],
    ['lost', 'Connection terminated unexpectedly'],
    ['lost', 'Client has encountered a connection error and is not queryable'],
    ['password_refused', 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'],
    ['password_refused', 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string'],
    ['tls_unsupported', 'The server does not support SSL connections'],
    ['tls_channel_binding', 'channel binding is required, and the server does not offer it'],
  ])('%s: pg error without a code (%s)', (kind, message) => {
    expect(toDatabaseFailure(failed(undefined, message)).kind).toBe(kind);
  });

  test.each([
    ['pooler', '08P01', 'unsupported startup parameter: statement_timeout'],
    ['tls_required', '08P01', 'SSL required'],
    ['tls_required', '28000', 'no pg_hba.conf entry for host "::1", user "u", database "d", no encryption'],
    ['tls_client_certificate', '28000', 'connection requires a valid client certificate'],
  ])('%s: SQLSTATE %s with %j', (kind, code, message) => {
    expect(toDatabaseFailure(failed(code, message)).kind).toBe(kind);
  });

  test('the first of several addresses determines the cause', () => {
    const error = new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')], '');
    expect(toDatabaseFailure(error).kind).toBe('connection_refused');
  });

  test('a failure is returned unchanged, and any other thrown value is converted', () => {
    const failure = databaseFailure('full', 'x');
    expect(toDatabaseFailure(failure)).toBe(failure);
    expect(toDatabaseFailure('odd')).toMatchObject({ kind: 'unexpected', sqlState: undefined });
    expect(toDatabaseFailure(undefined).kind).toBe('unexpected');
  });
});

describe('a conflict, which is retried immediately, is', () => {
  test.each(['40001', '40P01'])('SQLSTATE %s', (code) => {
    expect(isConflict(toDatabaseFailure(failed(code)))).toBe(true);
  });

  test.each(['23505', '57014', undefined])('not %s', (code) => {
    expect(isConflict(toDatabaseFailure(failed(code)))).toBe(false);
    expect(isConflict(failed('40001'))).toBe(false);
  });
});

test('the error about an invalid URL contains no password', async () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9%:@/?#[\]]{6,20}$/).filter((text) => /[A-Z]{3}/.test(text));
  await fc.assert(
    fc.asyncProperty(secret, async (password) => {
      const message = await connectError(`postgres://trail:${password}@[::1/edges`);
      expect(message).not.toContain(password);
    }),
    { numRuns: 50 },
  );
});

async function connectError(url: string): Promise<string> {
  try {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1 });
    client.on('error', () => undefined);
    await client.connect();
    throw new Error('it connected');
  } catch (error) {
    const failure = toDatabaseFailure(error);
    return `${failure.message} ${failure.stack} ${JSON.stringify(failure)}`;
  }
}

test('every failure kind shown in the Temporal UI is in the operations guide', async () => {
  const guide = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  expect(databaseFailureKinds.length).toBeGreaterThan(10);
  expect(databaseFailureKinds.filter((kind) => !guide.includes(`\`database_${kind}\``))).toEqual([]);
});
