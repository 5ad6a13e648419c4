import pg from 'pg';
import type { DatabaseTarget } from '../config/database-url.ts';

/** Session settings of the database URL; set in each transaction, not at start-up (see `beginStatement`). */
export type SessionSettings = Pick<DatabaseTarget, 'schema' | 'settings'>;

/**
 * Settings on which the meaning of a value depends. A role or a database can have others (`alter database ... set
 * datestyle`): times would then be read as missing, arrays with nulls rejected, and bucket times rounded.
 */
const fixedSettings = [
  `set local datestyle = 'ISO, MDY'`,
  `set local timezone = 'UTC'`,
  'set local extra_float_digits = 1',
  'set local array_nulls = on',
].join('; ');

/** Not the default of the role or the database: a standby, for example, refuses `serializable`. */
const defaultMode = 'isolation level read committed';

/** Removes time limits that the role or the database has. PostgreSQL 17 added the last one. */
const noTimeLimits = `select set_config(name, '0', true) from pg_settings
  where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;

/**
 * Begins a transaction with its limits and the settings of the URL. They are set here, not when connecting: PgBouncer
 * rejects start-up parameters that it does not support, and in transaction mode each transaction may run in a different
 * session.
 */
export function beginStatement(
  { schema, settings }: SessionSettings,
  limits: Readonly<Record<string, number>>,
  mode = defaultMode,
): string {
  return [
    `begin ${mode}`,
    ...Object.entries(limits).map(([name, value]) => `set local ${name} = ${value}`),
    ...(schema === undefined ? [] : [`set local search_path = ${pg.escapeIdentifier(schema)}`]),
    ...settings.map(
      ([name, value]) => `select set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
    ),
    fixedSettings,
  ].join('; ');
}

/** The same for a transaction that may take any time. */
export function beginLongStatement(
  session: SessionSettings,
  { mode = defaultMode, lockTimeoutMs = 0 }: { mode?: string; lockTimeoutMs?: number } = {},
): string {
  return `${beginStatement(session, { lock_timeout: lockTimeoutMs }, mode)}; ${noTimeLimits}`;
}
