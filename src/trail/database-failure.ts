import { errorCode, errorText } from '../failure/thrown.ts';
import { Failure, isFailureOf } from '../failure/failure.ts';

/** Why the database could not be used. */
export type DatabaseFailureKind =
  | 'url_unreadable'
  | 'password_refused'
  | 'role_refused'
  | 'no_database'
  | 'no_schema'
  | 'newer_schema'
  /** Tables or rows that migrations created are missing. */
  | 'damaged'
  /** Not UTF8. */
  | 'encoding'
  | 'migrating'
  | 'no_permission'
  | 'read_only'
  | 'wrong_server'
  | 'connection_refused'
  | 'dns'
  | 'timeout'
  | 'starting'
  | 'full'
  | 'too_many_connections'
  | 'lost'
  | 'pooler'
  | 'tls_file'
  | 'tls_untrusted'
  | 'tls_host_name'
  | 'tls_expired'
  | 'tls_required'
  | 'tls_unsupported'
  | 'tls_client_certificate'
  | 'tls_channel_binding'
  | 'tls_failed'
  | 'unexpected';

const cures: Record<DatabaseFailureKind, string> = {
  url_unreadable: 'mount the secret at the path in DATABASE_URL_FILE; it must contain one postgres:// URL',
  password_refused:
    'if the credential was rotated, this is a stale database password: update the Secret (DATABASE_URL_FILE is read again for each connection; with DATABASE_URL, restart the worker); otherwise, correct the user or the password',
  role_refused:
    "check that the role exists and may log in, and that Postgres' pg_hba.conf allows it to connect from here",
  no_database: 'create the database, or correct its name in DATABASE_URL',
  no_schema:
    'start the worker once, or run flow-trail migrate: both create the tables and bring them up to date, or say which tables must be restored from a backup',
  newer_schema:
    'start the version of flow-trail that migrated this database, or a later one; to go back to an older version, restore the backup from before the upgrade',
  damaged:
    'restore the database from a backup (docs/operations.md, “Backing up”); without one, point DATABASE_URL at an empty database or schema, where a new trail begins',
  encoding:
    "create a database with encoding 'UTF8' (create database goldmane_edges encoding 'UTF8' template template0), and restore a dump of this one into it if it has tables",
  migrating: 'wait until the other worker has migrated the schema',
  no_permission:
    'make the role the owner of the tables, or run flow-trail migrate as their owner and grant the role its rights (deploy/postgres/create-roles.sh)',
  read_only: 'point DATABASE_URL at the primary; this server is a standby or was made read-only',
  wrong_server: 'add the right server to the hosts in DATABASE_URL, or correct target_session_attrs',
  connection_refused: 'start Postgres, or correct the host and port in DATABASE_URL',
  dns: 'correct the host in DATABASE_URL, or the DNS configuration of the pod',
  timeout: 'check whether Postgres hangs or is overloaded, or whether a network policy drops packets',
  starting: 'wait: Postgres is starting up or recovering',
  full: "free up or extend the database's disk",
  too_many_connections:
    'raise max_connections or disconnect idle clients; the worker needs at most four connections',
  lost: 'check whether Postgres was restarted or failed over; the worker reconnects automatically',
  pooler:
    "check the pooler's log; it may be unable to serve the connection, or the database or role may not be configured there",
  tls_file: 'mount the file, or correct sslrootcert, sslcert or sslkey in DATABASE_URL',
  tls_untrusted:
    "set sslrootcert in DATABASE_URL to the CA certificate that signed the server's certificate (sslrootcert=system for a public CA)",
  tls_host_name:
    "use a host name that is on the server's certificate, or sslmode=verify-ca to accept any name that your CA signed",
  tls_expired: "renew the server's certificate, or correct this machine's clock",
  tls_required:
    'add sslmode=verify-full and sslrootcert to DATABASE_URL (sslmode=require does not verify the server)',
  tls_unsupported: 'enable TLS on the server (ssl = on), or use sslmode=disable',
  tls_client_certificate: 'add sslcert and sslkey to DATABASE_URL, with a certificate that the server trusts',
  tls_channel_binding:
    'connect to the server itself with TLS and SCRAM passwords, or remove channel_binding=require from DATABASE_URL',
  tls_failed: 'check that the host and port are those of Postgres, and which TLS versions it allows',
  unexpected:
    'look up the SQLSTATE in appendix A of the PostgreSQL manual; report it if it is a bug in flow-trail',
};

/** All of them; each has its line in docs/operations.md. */
export const databaseFailureKinds: readonly string[] = Object.keys(cures);

/** A database operation failed. Never contains the URL. Always retryable: the fix is outside this process. */
export type DatabaseFailure = Failure<'database', DatabaseFailureKind> & {
  readonly sqlState: string | undefined;
};

/** @param cure by default that of the kind */
export function databaseFailure(
  kind: DatabaseFailureKind,
  what: string,
  sqlState?: string,
  cure = cures[kind],
): DatabaseFailure {
  const failure = new Failure({ system: 'database', kind, what, cure, retryable: true });
  return Object.assign(failure, { sqlState });
}

/** A table that migrations created with one row has none. */
export function missingRow(table: string): DatabaseFailure {
  return databaseFailure('damaged', `the database is damaged: the table ${table} has no row`);
}

export function isDatabaseFailure(error: unknown): error is DatabaseFailure {
  return isFailureOf('database', error);
}

/**
 * SQLSTATEs after which the transaction is retried at once: serialization failure, deadlock, and a foreign key whose
 * row was deleted in the meantime.
 */
const retryAtOnce = new Set(['40001', '40P01', '23503']);

export function isConflict(error: unknown): boolean {
  return isDatabaseFailure(error) && error.sqlState !== undefined && retryAtOnce.has(error.sqlState);
}

/** Converts an error of `pg` or the socket to a DatabaseFailure. SQLSTATEs: PostgreSQL manual, appendix A. */
export function toDatabaseFailure(error: unknown): DatabaseFailure {
  if (isDatabaseFailure(error)) return error;
  const code = errorCode(error);
  const message = errorText(error);
  switch (code) {
    case '28P01':
      return databaseFailure(
        'password_refused',
        `Postgres rejected the role or its password (${message})`,
        code,
      );
    case '28000':
      if (/no encryption|SSL off/.test(message))
        return databaseFailure('tls_required', `Postgres rejects connections without TLS (${message})`, code);
      if (/client certificate/.test(message))
        return databaseFailure(
          'tls_client_certificate',
          `Postgres requires a client certificate (${message})`,
          code,
        );
      return databaseFailure('role_refused', `Postgres rejected the role (${message})`, code);
    case '3D000':
      return databaseFailure('no_database', `the database does not exist (${message})`, code);
    case '42P01':
    case '42703':
    case '3F000':
      return databaseFailure('no_schema', `the schema is missing or too old (${message})`, code);
    case '25006':
      return databaseFailure('read_only', 'Postgres is read-only', code);
    case '08P01':
      // Postgres itself raises it only for protocol violations; PgBouncer raises it for anything it rejects.
      return /SSL required/.test(message)
        ? databaseFailure('tls_required', `the pooler rejects connections without TLS (${message})`, code)
        : databaseFailure('pooler', `the connection pooler rejected the connection (${message})`, code);
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
    case 'CERT_UNTRUSTED':
    case 'INVALID_CA':
      return databaseFailure(
        'tls_untrusted',
        `the certificate of the database server is not signed by a trusted CA (${message})`,
        code,
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return databaseFailure(
        'tls_host_name',
        `the certificate of the database server is for a different host name (${message})`,
        code,
      );
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return databaseFailure(
        'tls_expired',
        `the certificate of the database server has expired or is not valid yet (${message})`,
        code,
      );
    case '22P05':
      return databaseFailure('encoding', `the encoding of the database lacks a character (${message})`, code);
    case '42501':
      return databaseFailure('no_permission', `Postgres denied permission (${message})`, code);
    case '57P03':
      return databaseFailure('starting', 'Postgres does not accept connections yet', code);
    case '53100':
      return databaseFailure('full', "the database's disk is full", code);
    case '53300':
      return databaseFailure('too_many_connections', 'Postgres has no free connection slots', code);
    case '57P01':
    case '57P02':
    case '25P03':
    case '40003':
    case '57P05':
    case '08000':
    case '08003':
    case '08006':
    case 'ECONNRESET':
    case 'EPIPE':
      return databaseFailure('lost', 'the connection to Postgres was lost', code);
    case '57014':
    case '25P04':
    case '55P03':
    case 'ETIMEDOUT':
      return databaseFailure('timeout', 'Postgres did not respond in time', code);
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return databaseFailure(
        'connection_refused',
        `connection refused: nothing is listening at the address in DATABASE_URL (${message})`,
        code,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return databaseFailure('dns', `the database's host name could not be resolved (${message})`, code);
    default:
      if (code !== undefined && /^ERR_(OSSL|SSL|TLS)_|^EPROTO$/.test(code))
        return /_(PEM|X509|ASN1|WRONG_TAG|NO_START_LINE)_?/.test(code)
          ? databaseFailure(
              'tls_file',
              `a certificate or key named in DATABASE_URL cannot be used (${message})`,
              code,
            )
          : /ALERT_(CERTIFICATE_REQUIRED|UNKNOWN_CA|BAD_CERTIFICATE)/.test(code)
            ? databaseFailure(
                'tls_client_certificate',
                `the database server rejected the client certificate (${message})`,
                code,
              )
            : databaseFailure(
                'tls_failed',
                `the TLS handshake with the database server failed (${message})`,
                code,
              );
      // The server's own messages are not searched for keywords, because they can quote anything.
      if (code !== undefined && /^[0-9A-Z]{5}$/.test(code))
        return databaseFailure('unexpected', `Postgres failed with SQLSTATE ${code}: ${message}`, code);
      if (/password must be a (non-empty )?string/i.test(message))
        return databaseFailure(
          'password_refused',
          'Postgres requires a password, but DATABASE_URL contains none',
          code,
          'add the password to DATABASE_URL: postgres://user:password@host:5432/database',
        );
      if (/does not support SSL connections/.test(message))
        return databaseFailure('tls_unsupported', 'the database server does not support TLS', code);
      if (/channel binding/i.test(message)) return databaseFailure('tls_channel_binding', message, code);
      if (/timeout|timed out/i.test(message))
        return databaseFailure('timeout', 'Postgres did not respond in time', code);
      if (/Connection terminated|Client has encountered a connection error/i.test(message))
        return databaseFailure('lost', 'the connection to Postgres was lost', code);
      return databaseFailure('unexpected', `Postgres failed: ${message}`, code);
  }
}
