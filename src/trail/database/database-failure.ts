import { Failure, isFailureOf } from '../../failure/failure.ts';

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
  /** Running workers use it for another supervisor. */
  | 'other_supervisor'
  /** It is that of another cluster than CLUSTER_NAME. */
  | 'wrong_cluster'
  /** Not UTF8. */
  | 'encoding'
  | 'migrating'
  | 'no_permission'
  | 'read_only'
  | 'wrong_server'
  | 'connection_refused'
  | 'unreachable'
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
    'start the worker once, or run flow-trail migrate: both create or update the tables, or say which ones must be restored from a backup',
  newer_schema:
    'start the version of flow-trail that migrated this database, or a later one; to go back to an older version, restore the backup from before the upgrade',
  damaged:
    'restore the database from a backup (docs/operations.md, “Backing up”); without one, point DATABASE_URL at an empty database or schema, where a new trail begins',
  other_supervisor:
    'correct DATABASE_URL, CLUSTER_NAME, TEMPORAL_ADDRESS or TEMPORAL_NAMESPACE; to rename or move a trail, stop its workers first (docs/clusters.md)',
  wrong_cluster:
    'correct DATABASE_URL, or give CLUSTER_NAME the value that the workers of this database have; leave it unset if they have none',
  encoding:
    "create a database with encoding 'UTF8' (create database goldmane_edges encoding 'UTF8' template template0), and restore a dump of this one into it if it has tables",
  migrating: 'wait until the other worker has migrated the schema',
  no_permission:
    'make the role the owner of the tables, or run flow-trail migrate as their owner and grant the role its rights (deploy/postgres/create-roles.sh)',
  read_only: 'point DATABASE_URL at the primary; this server is a standby or was made read-only',
  wrong_server: 'add the right server to the hosts in DATABASE_URL, or correct target_session_attrs',
  connection_refused: 'start Postgres, or correct the host and port in DATABASE_URL',
  unreachable:
    'check the host in DATABASE_URL, whether its machine is running, and the routes and network policies between',
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
