import pg from 'pg';
import type { DatabaseConfig } from '../../config/database-config.ts';
import type { DatabaseTarget } from '../../config/database-url.ts';
import { connectAttempts, type ConnectAttempt } from './connect-options.ts';
import { checkServer, clientClass, tryInTurn, type Ways } from './connect-server.ts';
import {
  databaseFailure,
  isConflict,
  isDatabaseFailure,
  type DatabaseFailureKind,
} from './database-failure.ts';
import { toDatabaseFailure } from './explain-database-error.ts';
import { readTarget } from './read-target.ts';
import { beginStatement, type SessionSettings } from './session.ts';

/** Runs statements on one connection. Throws DatabaseFailure. */
export type Query = <Row extends pg.QueryResultRow>(
  sql: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

export interface Database {
  /** One statement in its own transaction. */
  query: Query;
  /** One transaction, retried up to five times after a conflict with another one. Throws whatever `work` throws. */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /**
   * A separate connection without time limits, for migrations; closed afterwards. Each of its transactions must apply
   * `session`.
   */
  withClient<Result>(work: (client: pg.Client, session: SessionSettings) => Promise<Result>): Promise<Result>;
  /**
   * Waits a few seconds at most until connections have closed. Later calls of `query` and `transaction` fail and open no
   * connection.
   */
  close(): Promise<void>;
}

/**
 * Time limits in real milliseconds. The server ends the transaction of a worker that disappeared, so that its locks
 * do not block the next worker; the client gives up on a server that does not respond.
 */
interface DatabaseTimeouts {
  connectMs: number;
  statementMs: number;
}

const defaultTimeouts: DatabaseTimeouts = { connectMs: 10_000, statementMs: 30_000 };
const maxConflicts = 5;
const maxConnections = 4;
const applicationName = 'goldmane-flow-trail';
const keepAliveIdleSeconds = 10;

/** After these failures the host may be another server, for example after a failover. */
const staleConnections: ReadonlySet<DatabaseFailureKind> = new Set(['read_only', 'lost']);

/** The last URL read, a pool for each way to connect, and the way that last worked. */
interface Opened extends Ways {
  readonly key: string;
  readonly target: DatabaseTarget;
  readonly pools: Map<ConnectAttempt, pg.Pool>;
}

/**
 * Opens a pool. The file with the URL, if there is one, and the certificate files are read for every connection, so the next
 * connection uses a rotated password or CA, or another database, without a restart (invariant 9).
 * Every statement runs in a transaction that sets its own limits, so that a pooler in transaction mode works.
 */
export function openDatabase(
  config: DatabaseConfig,
  {
    timeouts = defaultTimeouts,
    isReadOnly = false,
    onStatement,
    onFailure,
  }: {
    timeouts?: DatabaseTimeouts;
    /** The server rejects all changes. */
    isReadOnly?: boolean;
    onStatement?: (seconds: number) => void;
    /** Called with the error of each transaction that fails; a conflict is retried. */
    onFailure?: (error: unknown) => void;
  } = {},
): Database {
  let current: Opened | undefined;
  let isClosed = false;
  // Connections made before a failover are not reused.
  let generation = 0;
  const generationOf = new WeakMap<pg.PoolClient, number>();
  const ending = new Set<Promise<void>>();
  const common = (target: DatabaseTarget) => ({
    connectionTimeoutMillis: (target.connectTimeoutSeconds || timeouts.connectMs / 1_000) * 1_000,
    keepAlive: target.keepAlive,
    keepAliveInitialDelayMillis: (target.keepAliveIdleSeconds || keepAliveIdleSeconds) * 1_000,
    application_name: target.applicationName ?? applicationName,
  });
  const limits = {
    statement_timeout: timeouts.statementMs,
    lock_timeout: timeouts.statementMs,
    idle_in_transaction_session_timeout: timeouts.statementMs,
  };

  const opened = async (): Promise<Opened> => {
    const target = await readTarget(config);
    const attempts = await connectAttempts(target);
    const key = JSON.stringify([target, attempts]);
    if (current?.key === key) return current;
    if (current) retire(current, ending);
    current = { key, target, attempts, pools: new Map(), preferred: 0 };
    return current;
  };

  const poolOf = ({ pools, target }: Opened, attempt: ConnectAttempt): pg.Pool => {
    // Its idle connection would keep the process alive for half a minute.
    if (isClosed) throw databaseFailure('lost', 'the connections to the database were closed');
    const known = pools.get(attempt);
    if (known) return known;
    const pool = new pg.Pool({
      ...attempt,
      ...common(target),
      query_timeout: timeouts.statementMs + 5_000,
      Client: clientClass(target),
      max: maxConnections,
      idleTimeoutMillis: 30_000,
    });
    // The next query replaces a broken idle connection; without a listener the error would end the process.
    pool.on('error', ignore);
    pools.set(attempt, pool);
    return pool;
  };

  const pooled = async (open: Opened, attempt: ConnectAttempt): Promise<pg.PoolClient> => {
    for (;;) {
      const client = await poolOf(open, attempt).connect();
      const made = generationOf.get(client);
      if (made === generation) return client;
      if (made === undefined) {
        try {
          await checkServer(client, open.target);
          generationOf.set(client, generation);
          return client;
        } catch (error) {
          client.release(true);
          throw error;
        }
      }
      client.release(true);
    }
  };

  const connect = async (): Promise<{ client: pg.PoolClient; target: DatabaseTarget }> => {
    const open = await opened();
    return tryInTurn(open, async (attempt) => ({ client: await pooled(open, attempt), target: open.target }));
  };

  const inTransaction = async <Result>(work: (query: Query) => Promise<Result>): Promise<Result> => {
    let client: pg.PoolClient | undefined;
    const startedAt = performance.now();
    try {
      const connected = await connect();
      ({ client } = connected);
      // A connection that breaks between two statements also emits an error; the next statement rejects.
      client.on('error', ignore);
      const query = queryOn(client);
      const mode = isReadOnly ? 'isolation level read committed read only' : undefined;
      await query(beginStatement(connected.target, limits, mode));
      const result = await work(query);
      await query('commit');
      client.off('error', ignore);
      client.release();
      return result;
    } catch (error) {
      client?.off('error', ignore);
      // After any failure the connection's state is unknown (a response may still be on its way): it is not used again.
      client?.release(true);
      if (isDatabaseFailure(error) && staleConnections.has(error.kind)) generation += 1;
      if (!isConflict(error)) onFailure?.(error);
      throw error;
    } finally {
      onStatement?.((performance.now() - startedAt) / 1000);
    }
  };

  return {
    query: (sql, values) => inTransaction((query) => query(sql, values)),
    async transaction(work) {
      for (let conflicts = 0; ; conflicts += 1) {
        try {
          return await inTransaction(work);
        } catch (error) {
          if (!isConflict(error) || conflicts >= maxConflicts) throw error;
        }
      }
    },
    async withClient(work) {
      try {
        const open = await opened();
        const client = await tryInTurn(open, async (attempt) => {
          const Client = clientClass(open.target);
          const each = new Client({
            ...attempt,
            ...common(open.target),
          });
          each.on('error', ignore);
          try {
            await each.connect();
            await checkServer(each, open.target);
            return each;
          } catch (error) {
            await each.end().catch(ignore);
            throw error;
          }
        });
        try {
          return await work(client, open.target);
        } finally {
          await client.end().catch(ignore);
        }
      } catch (error) {
        throw toDatabaseFailure(error);
      }
    },
    async close() {
      isClosed = true;
      if (current) retire(current, ending);
      current = undefined;
      await Promise.all(ending);
    },
  };
}

function ignore(): void {}

function retire({ pools }: Opened, ending: Set<Promise<void>>): void {
  for (const pool of pools.values()) {
    const ended: Promise<void> = pool
      .end()
      .catch(ignore)
      .finally(() => ending.delete(ended));
    ending.add(ended);
  }
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
