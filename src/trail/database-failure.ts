import { Failure, isFailureOf } from '../failure/failure.ts';

/** Why the database could not be used. */
export type DatabaseFailureKind =
  | 'url_unreadable'
  | 'password_refused'
  | 'role_refused'
  | 'no_database'
  | 'no_schema'
  | 'no_permission'
  | 'read_only'
  | 'connection_refused'
  | 'dns'
  | 'timeout'
  | 'starting'
  | 'full'
  | 'too_many_connections'
  | 'lost'
  | 'unexpected';

const cures: Record<DatabaseFailureKind, string> = {
  url_unreadable: 'mount the secret that DATABASE_URL_FILE names, holding one postgres:// URL',
  password_refused:
    'stale database password: the credential was rotated and this is the old one; update the secret (DATABASE_URL_FILE is read again at every connection; with DATABASE_URL restart the worker)',
  role_refused:
    "see that the role exists and may log in, and that Postgres' pg_hba.conf lets it in from here",
  no_database: 'create the database, or correct its name in DATABASE_URL',
  no_schema: 'start the worker once: it makes the tables, and brings them up to date',
  no_permission: 'make the role the owner of the database and of the table edge',
  read_only: 'point DATABASE_URL at the primary: this is a standby, or a server that was made read-only',
  connection_refused: 'start Postgres, or correct host and port in DATABASE_URL',
  dns: 'correct the host in DATABASE_URL, or the resolver of the pod',
  timeout: 'see whether Postgres hangs, is overloaded, or a network policy drops its packets',
  starting: 'wait: Postgres is starting up or recovering',
  full: "free or extend the database's disk",
  too_many_connections: 'raise max_connections or end idle clients; the worker needs at most four',
  lost: 'see whether Postgres was restarted or failed over; the worker connects again by itself',
  unexpected: "look up the SQLSTATE, and report it if it is the worker's fault",
};

/** All of them; each has its line in docs/operations.md. */
export const databaseFailureKinds: readonly string[] = Object.keys(cures);

/** The database could not do what was asked. Never contains the URL. Always retryable: the cure is outside of this process. */
export type DatabaseFailure = Failure<'database', DatabaseFailureKind> & {
  readonly sqlState: string | undefined;
};

export function databaseFailure(kind: DatabaseFailureKind, what: string, sqlState?: string): DatabaseFailure {
  const failure = new Failure({ system: 'database', kind, what, cure: cures[kind], retryable: true });
  return Object.assign(failure, { sqlState });
}

export function isDatabaseFailure(error: unknown): error is DatabaseFailure {
  return isFailureOf('database', error);
}

/** SQLSTATEs after which the same transaction is worth trying at once: serialization failure, deadlock. */
const retryAtOnce = new Set(['40001', '40P01']);

export function isConflict(error: unknown): boolean {
  return isDatabaseFailure(error) && error.sqlState !== undefined && retryAtOnce.has(error.sqlState);
}

/** Turns whatever `pg` or the socket threw into a DatabaseFailure. SQLSTATEs: PostgreSQL manual, appendix A. */
export function toDatabaseFailure(error: unknown): DatabaseFailure {
  if (isDatabaseFailure(error)) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  switch (code) {
    case '28P01':
      return databaseFailure(
        'password_refused',
        `Postgres refused the role or its password (${message})`,
        code,
      );
    case '28000':
      return databaseFailure('role_refused', `Postgres refused the role (${message})`, code);
    case '3D000':
      return databaseFailure('no_database', `the database does not exist (${message})`, code);
    case '42P01':
    case '42703':
    case '3F000':
      return databaseFailure('no_schema', `the schema is missing or too old (${message})`, code);
    case '25006':
      return databaseFailure('read_only', 'Postgres takes no writes', code);
    case '42501':
      return databaseFailure('no_permission', `Postgres denied permission (${message})`, code);
    case '57P03':
      return databaseFailure('starting', 'Postgres does not accept connections yet', code);
    case '53100':
      return databaseFailure('full', "the database's disk is full", code);
    case '53300':
      return databaseFailure('too_many_connections', 'Postgres has no connection left', code);
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
    case '55P03':
    case 'ETIMEDOUT':
      return databaseFailure('timeout', 'Postgres did not answer in time', code);
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return databaseFailure(
        'connection_refused',
        `nothing answers where DATABASE_URL points (${message})`,
        code,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return databaseFailure(
        'dns',
        `the name of the database's host could not be resolved (${message})`,
        code,
      );
    default:
      // A message of the server's own is not searched for words: it may quote anything.
      if (code !== undefined && /^[0-9A-Z]{5}$/.test(code))
        return databaseFailure('unexpected', `Postgres failed with SQLSTATE ${code}: ${message}`, code);
      if (/password must be a (non-empty )?string/i.test(message))
        return databaseFailure(
          'password_refused',
          'Postgres asks for a password, and the URL has none',
          code,
        );
      if (/timeout|timed out/i.test(message))
        return databaseFailure('timeout', 'Postgres did not answer in time', code);
      if (/Connection terminated|Client has encountered a connection error/i.test(message))
        return databaseFailure('lost', 'the connection to Postgres was lost', code);
      return databaseFailure('unexpected', `Postgres failed: ${message}`, code);
  }
}

/** What Postgres and sockets say names hosts, roles and databases, never a password. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return undefined;
}
