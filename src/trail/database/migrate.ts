import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { checkTables } from './check-tables.ts';
import type { Database, Query } from './database.ts';
import { databaseFailure, isDatabaseFailure, type DatabaseFailure } from './database-failure.ts';
import { toDatabaseFailure } from './explain-database-error.ts';
import { beginLongStatement } from './session.ts';

const migrationsDir = fileURLToPath(new URL('../../../migrations', import.meta.url));
const migrationsTable = 'flow_trail_migration';

/** First key of the advisory lock under which the schema is migrated; the second is a hash of the schema's name. */
const migrationLock = 7_443_015;
/** After this time the migration fails and the worker retries: another transaction holds the table. */
const lockTimeoutMs = 120_000;
const progressIntervalMs = 10_000;

export interface MigrationProgress {
  migration: string;
  /** Since the migration began. */
  seconds: number;
}

interface MigrateOptions {
  /** Called when a migration starts, and every ten seconds while it runs. */
  onProgress?: (progress: MigrationProgress) => void;
  /** Ends the connection, which rolls everything back. */
  signal?: AbortSignal;
  /** Behaves like the version whose last migration was this one (file name without extension); for upgrade tests. */
  upTo?: string;
}

/**
 * Brings the schema to the current version: applies each pending file of `migrations/` in order, all in one transaction
 * without a time limit. A schema that is up to date is only read, so a role without permission to change it is sufficient.
 * The tables are created in the schema that the URL names (`options=-c search_path=...`), which is created if it is
 * missing, or in the current one. An existing `edge` table of another aggregator is adopted with its rows (invariant
 * 8).
 * @returns the names of the migrations that this call applied
 * @throws DatabaseFailure; `newer_schema` if the database has a migration that this version does not have, `encoding` if a new
 * trail could not store every character
 */
export async function migrate(
  database: Database,
  { onProgress, signal, upTo }: MigrateOptions = {},
): Promise<string[]> {
  const known = await readMigrations(upTo);
  const applied = await readApplied(database.query);
  refuseUnknown(applied, known);
  const pending = known.filter((name) => !applied.has(name));
  const ran =
    pending.length === 0 ? [] : await applyPending(database, pending, onProgress, signal, applied.size === 0);
  if (upTo === undefined) await checkTables(database.query);
  return ran;
}

/**
 * Checks, without changing anything, that the schema is up to date and complete.
 * @throws DatabaseFailure `no_schema`, `damaged`
 */
export async function checkSchema(query: Query): Promise<void> {
  const applied = await readApplied(query);
  const pending = (await readMigrations()).filter((name) => !applied.has(name));
  if (applied.size === 0) throw databaseFailure('no_schema', 'the schema is missing: it has no migrations');
  if (pending.length > 0)
    throw databaseFailure('no_schema', `the schema is too old (without ${pending.join(', ')})`);
  await checkTables(query);
}

/** The names of the migrations up to this one, in order. */
async function readMigrations(upTo?: string): Promise<string[]> {
  return (await readdir(migrationsDir))
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .filter((name) => upTo === undefined || name <= upTo)
    .sort();
}

function applyPending(
  database: Database,
  pending: readonly string[],
  onProgress: MigrateOptions['onProgress'],
  signal: AbortSignal | undefined,
  isNew: boolean,
): Promise<string[]> {
  return database.withClient(async (client, session) => {
    const end = () => void client.end();
    signal?.addEventListener('abort', end, { once: true });
    const progress = new Progress(onProgress);
    try {
      await client.query(beginLongStatement(session, { lockTimeoutMs }));
      if (isNew) await expectEncoding(client);
      const schema = await lockSchema(client, session.schema);
      await ensureSchema(client, schema);
      // Most starts have nothing to migrate.
      const { runner } = await import('node-pg-migrate');
      const ran = await runner({
        dbClient: client,
        dir: migrationsDir,
        migrationsSchema: schema,
        migrationsTable,
        direction: 'up',
        count: pending.length,
        checkOrder: false,
        noLock: true,
        // Its BEGIN is redundant inside our transaction; its COMMIT ends our transaction.
        singleTransaction: true,
        log: () => undefined,
        logger: { debug() {}, info: (line) => progress.read(line), warn() {}, error() {} },
      });
      return ran.map(({ name }) => name);
    } catch (error) {
      throw toMigrationFailure(error);
    } finally {
      progress.end();
      signal?.removeEventListener('abort', end);
    }
  });
}

/**
 * Waits until no other worker is migrating the same schema. The lock ends with the transaction, so it works through a
 * pooler.
 * @param named the schema in the URL, which may not exist yet
 * @returns the name of the schema
 */
async function lockSchema(client: pg.Client, named: string | undefined): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>(
    'select coalesce($1, current_schema()) as schema',
    [named],
  );
  const schema = rows[0]?.schema;
  if (schema === null || schema === undefined)
    throw databaseFailure('no_schema', 'no schema in the search_path of the role exists');
  try {
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [migrationLock, schema]);
  } catch (error) {
    const failure = toDatabaseFailure(error);
    if (failure.sqlState !== '55P03') throw failure;
    throw databaseFailure('migrating', 'another worker is migrating the schema', failure.sqlState);
  }
  return schema;
}

/**
 * Creates the schema if it is missing. `if not exists` would need the right to create schemas even if the schema
 * exists.
 * @throws DatabaseFailure `no_permission`
 */
async function ensureSchema(client: pg.Client, schema: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`create schema ${pg.escapeIdentifier(schema)}`);
  const { rows } = await client.query<{ may: boolean; isReadOnly: boolean }>(
    `select has_schema_privilege($1, 'create') as may, current_setting('transaction_read_only')::bool as "isReadOnly"`,
    [schema],
  );
  // node-pg-migrate would report these without the SQLSTATE.
  if (rows[0]?.isReadOnly === true) throw databaseFailure('read_only', 'Postgres is read-only');
  if (rows[0]?.may !== true)
    throw databaseFailure('no_permission', `the role may not create tables in the schema ${schema}`);
}

/** Messages have characters that no other encoding has; SQL_ASCII stores bytes as they are. @throws DatabaseFailure `encoding` */
async function expectEncoding(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('show server_encoding');
  const encoding = rows[0]?.server_encoding ?? '';
  if (!['UTF8', 'SQL_ASCII'].includes(encoding))
    throw databaseFailure('encoding', `the database has the encoding ${encoding}`);
}

async function readApplied(query: Query): Promise<Set<string>> {
  try {
    const rows = await query<{ name: string }>(`select name from ${migrationsTable}`);
    return new Set(rows.map(({ name }) => name));
  } catch (error) {
    if (isDatabaseFailure(error) && error.kind === 'no_schema') return new Set();
    throw error;
  }
}

/** @throws DatabaseFailure `newer_schema` */
function refuseUnknown(applied: ReadonlySet<string>, known: readonly string[]): void {
  const unknown = [...applied].filter((name) => !known.includes(name)).sort();
  if (unknown.length > 0)
    throw databaseFailure(
      'newer_schema',
      `the database was migrated by a later version of flow-trail (this one does not have ${unknown.join(', ')})`,
    );
}

/** SQLSTATEs of an object that exists already: table or view, column, constraint or other object, function. */
const duplicates = new Set(['42P07', '42701', '42710', '42723']);

/** The migrations create each object once. */
function toMigrationFailure(error: unknown): DatabaseFailure {
  const failure = toDatabaseFailure(error);
  return failure.sqlState !== undefined && duplicates.has(failure.sqlState)
    ? databaseFailure(
        'damaged',
        `the table ${migrationsTable} has lost rows, or another program uses this schema (${failure.what})`,
        failure.sqlState,
      )
    : failure;
}

/** Reads the log of node-pg-migrate, which names each migration when it starts. */
class Progress {
  readonly #onProgress: ((progress: MigrationProgress) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(onProgress: ((progress: MigrationProgress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  read(line: string): void {
    const migration = /^### MIGRATION (\S+)/.exec(line)?.[1];
    if (migration === undefined) return;
    this.end();
    const startedAt = performance.now();
    const report = () =>
      this.#onProgress?.({ migration, seconds: Math.round((performance.now() - startedAt) / 1000) });
    report();
    this.#timer = setInterval(report, progressIntervalMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
