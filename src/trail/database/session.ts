import pg from 'pg';
import type { DatabaseTarget } from '../../config/database-url.ts';

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

/**
 * Removes the time limit that the role or the database has for whole transactions; statements have their own. PostgreSQL 17 added
 * this setting, and older versions reject its name.
 */
const noTransactionLimit = `select set_config('transaction_timeout', '0', true)
  where current_setting('transaction_timeout', true) is not null`;

/** Also removes those of the URL. */
const noTimeLimits = [
  'set local statement_timeout = 0',
  'set local idle_in_transaction_session_timeout = 0',
  noTransactionLimit,
].join('; ');

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
    noTransactionLimit,
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
