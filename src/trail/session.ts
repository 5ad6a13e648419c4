import pg from 'pg';
import type { DatabaseTarget } from '../config/database-url.ts';

/** Session settings of the database URL; set in each transaction, not at start-up (see `beginStatement`). */
export type SessionSettings = Pick<DatabaseTarget, 'schema' | 'settings'>;

/**
 * Begins a transaction with its limits and the settings of the URL. They are set here, not when connecting: PgBouncer
 * rejects start-up parameters that it does not support, and in transaction mode each transaction may run in a different
 * session.
 */
export function beginStatement(
  { schema, settings }: SessionSettings,
  limits: Readonly<Record<string, number>>,
  mode = '',
): string {
  return [
    `begin ${mode}`.trim(),
    ...Object.entries(limits).map(([name, value]) => `set local ${name} = ${value}`),
    ...(schema === undefined ? [] : [`set local search_path = ${pg.escapeIdentifier(schema)}`]),
    ...settings.map(
      ([name, value]) => `select set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
    ),
  ].join('; ');
}
