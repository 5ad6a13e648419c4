import { errorCode, errorText } from '../../failure/thrown.ts';
import { isUntrusted } from '../../failure/untrusted-certificate.ts';
import { databaseFailure, isDatabaseFailure, type DatabaseFailure } from './database-failure.ts';

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
      return databaseFailure(
        'connection_refused',
        `connection refused: nothing is listening at the address in DATABASE_URL (${message})`,
        code,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return databaseFailure(
        'unreachable',
        `the address in DATABASE_URL cannot be reached (${message})`,
        code,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return databaseFailure('dns', `the database's host name could not be resolved (${message})`, code);
    default:
      if (code !== undefined && isUntrusted(code))
        return databaseFailure(
          'tls_untrusted',
          `the certificate of the database server is not signed by a trusted CA (${message})`,
          code,
        );
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
