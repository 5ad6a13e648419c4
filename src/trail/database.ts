import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { DatabaseConfig } from '../config/config.ts';
import { databaseUrlProblem } from '../config/database-url.ts';
import { databaseFailure, isConflict, toDatabaseFailure } from './database-failure.ts';

/** Runs statements on one connection. Throws DatabaseFailure. */
export type Query = <Row extends pg.QueryResultRow>(
  sql: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

export interface Database {
  /** One statement on a connection of its own. */
  query: Query;
  /** All or nothing; a conflict with another transaction is tried again, a few times. What `work` throws comes through. */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /** A connection of its own for what a pool's connection cannot do, such as migrating; ended afterwards. */
  withClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result>;
  /** Waits until connections have ended; at most a few seconds. */
  close(): Promise<void>;
}

/**
 * How long things may take, in real milliseconds. The server ends a transaction of a worker that vanished, so that its
 * locks do not hold up the one that took over; the client gives up on a server that never answers.
 */
export interface DatabaseTimeouts {
  connectMs: number;
  statementMs: number;
}

const defaultTimeouts: DatabaseTimeouts = { connectMs: 10_000, statementMs: 30_000 };
const maxConflicts = 5;

/**
 * Opens a pool whose URL is read anew for every connection when it comes from a file: a rotated password or a moved
 * database is picked up by the next connection, without a restart (invariant 9).
 */
export function openDatabase(
  config: DatabaseConfig,
  {
    timeouts = defaultTimeouts,
    onStatement,
  }: { timeouts?: DatabaseTimeouts; onStatement?: (seconds: number) => void } = {},
): Database {
  let current: { url: string; pool: pg.Pool } | undefined;
  const ending = new Set<Promise<void>>();

  const options = (url: string): pg.ClientConfig => ({
    connectionString: url,
    connectionTimeoutMillis: timeouts.connectMs,
    statement_timeout: timeouts.statementMs,
    lock_timeout: timeouts.statementMs,
    idle_in_transaction_session_timeout: timeouts.statementMs,
    query_timeout: timeouts.statementMs + 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'goldmane-flow-trail',
  });

  const pool = async (): Promise<pg.Pool> => {
    const url = await readUrl(config);
    if (current?.url === url) return current.pool;
    if (current) retire(current.pool, ending);
    const opened = new pg.Pool({ ...options(url), Client: EndingClient, max: 4, idleTimeoutMillis: 30_000 });
    // An idle connection that breaks is replaced by the next query; without a listener it would end the process.
    opened.on('error', () => undefined);
    current = { url, pool: opened };
    return opened;
  };

  const connect = async (): Promise<pg.PoolClient> => {
    try {
      return await (await pool()).connect();
    } catch (error) {
      throw toDatabaseFailure(error);
    }
  };

  const withPooled = async <Result>(work: (query: Query) => Promise<Result>): Promise<Result> => {
    let client: pg.PoolClient | undefined;
    const startedAt = performance.now();
    try {
      client = await connect();
      // A connection that breaks between two statements reports it here too; the statement itself rejects.
      client.on('error', ignore);
      const result = await work(queryOn(client));
      client.off('error', ignore);
      client.release();
      return result;
    } catch (error) {
      client?.off('error', ignore);
      // After any failure the connection's state is unknown (an answer may still be on its way): it is not used again.
      client?.release(true);
      throw error;
    } finally {
      onStatement?.((performance.now() - startedAt) / 1000);
    }
  };

  return {
    query: (sql, values) => withPooled((query) => query(sql, values)),
    async transaction(work) {
      for (let conflicts = 0; ; conflicts += 1) {
        try {
          return await withPooled(async (query) => {
            await query('begin');
            const result = await work(query);
            await query('commit');
            return result;
          });
        } catch (error) {
          if (!isConflict(error) || conflicts >= maxConflicts) throw error;
        }
      }
    },
    async withClient(work) {
      try {
        const client = new pg.Client(options(await readUrl(config)));
        client.on('error', ignore);
        try {
          await client.connect();
          return await work(client);
        } finally {
          await client.end().catch(ignore);
        }
      } catch (error) {
        throw toDatabaseFailure(error);
      }
    },
    async close() {
      if (current) retire(current.pool, ending);
      current = undefined;
      await Promise.all(ending);
    },
  };
}

/**
 * A client that ends its connection when it could not be set up. The pool lets go of such a client, and where it was we who
 * had no answer (the server asks for a password, and there is none) the server would wait for one for a minute.
 */
class EndingClient extends pg.Client {
  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error | null) => void): void;
  override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | void {
    if (!callback) return super.connect();
    super.connect((error: Error | null) => {
      if (error) this.end().catch(ignore);
      callback(error);
    });
  }
}

function ignore(): void {}

function retire(pool: pg.Pool, ending: Set<Promise<void>>): void {
  const ended: Promise<void> = pool
    .end()
    .catch(ignore)
    .finally(() => ending.delete(ended));
  ending.add(ended);
}

function queryOn(client: pg.PoolClient): Query {
  return async <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) => {
    try {
      const { rows } = await client.query<Row>(sql, values ? [...values] : undefined);
      return rows;
    } catch (error) {
      throw toDatabaseFailure(error);
    }
  };
}

async function readUrl(config: DatabaseConfig): Promise<string> {
  if ('url' in config) return config.url;
  let url: string;
  try {
    url = (await readFile(config.urlFile, 'utf8')).trim();
  } catch {
    throw databaseFailure(
      'url_unreadable',
      `the file of DATABASE_URL_FILE, ${config.urlFile}, cannot be read`,
    );
  }
  const problem = databaseUrlProblem(url);
  if (problem)
    throw databaseFailure('url_unreadable', `the file of DATABASE_URL_FILE, ${config.urlFile}, ${problem}`);
  return url;
}
