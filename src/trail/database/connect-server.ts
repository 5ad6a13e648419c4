import pg from 'pg';
import type { DatabaseTarget } from '../../config/database-url.ts';
import { requireChannelBinding } from './channel-binding.ts';
import type { ConnectAttempt } from './connect-options.ts';
import { databaseFailure, type DatabaseFailure, type DatabaseFailureKind } from './database-failure.ts';
import { toDatabaseFailure } from './explain-database-error.ts';

/** The ways to connect, and the index of the one that last worked. */
export interface Ways {
  readonly attempts: readonly ConnectAttempt[];
  preferred: number;
}

/** After these failures the next host, or the same with or without TLS, may accept the connection. */
const worthTheNext: ReadonlySet<DatabaseFailureKind> = new Set([
  'connection_refused',
  'unreachable',
  'dns',
  'timeout',
  'starting',
  'lost',
  'read_only',
  'wrong_server',
  'too_many_connections',
  'tls_unsupported',
  'tls_required',
]);

/**
 * Tries each way to connect, starting with the one that last worked.
 * @throws DatabaseFailure of the last attempt, which names all of them
 */
export async function tryInTurn<Result>(
  ways: Ways,
  connect: (attempt: ConnectAttempt) => Promise<Result>,
): Promise<Result> {
  const failures: { where: string; failure: DatabaseFailure }[] = [];
  for (let n = 0; n < ways.attempts.length; n += 1) {
    const index = (ways.preferred + n) % ways.attempts.length;
    const attempt = ways.attempts[index];
    if (!attempt) continue;
    try {
      const result = await connect(attempt);
      ways.preferred = index;
      return result;
    } catch (error) {
      const failure = toDatabaseFailure(error);
      failures.push({ where: `${attempt.host}:${attempt.port}`, failure });
      if (!worthTheNext.has(failure.kind)) break;
    }
  }
  const last = failures.at(-1);
  if (!last) throw databaseFailure('url_unreadable', 'the database URL contains no host');
  if (failures.length === 1) throw last.failure;
  throw databaseFailure(
    last.failure.kind,
    failures.map(({ where, failure }) => `${where}: ${failure.what}`).join('; '),
    last.failure.sqlState,
  );
}

/** Checks that the server is of the kind required by `target_session_attrs`. @throws DatabaseFailure `wrong_server` */
export async function checkServer(client: pg.ClientBase, target: DatabaseTarget): Promise<void> {
  const wanted = target.sessionAttributes;
  if (wanted === 'any') return;
  const { rows } = await client.query<{ is_standby: boolean; is_read_only: boolean }>(
    `select pg_is_in_recovery() as is_standby, current_setting('transaction_read_only')::bool as is_read_only`,
  );
  const [row] = rows;
  const isWanted =
    wanted === 'primary' || wanted === 'standby'
      ? row?.is_standby === (wanted === 'standby')
      : row?.is_read_only === (wanted === 'read-only');
  if (!isWanted)
    throw databaseFailure(
      'wrong_server',
      `the server is ${row?.is_standby === true ? 'a standby' : row?.is_read_only === true ? 'a read-only primary' : 'a primary'}, but target_session_attrs requires ${wanted}`,
    );
}

/**
 * A client that closes its connection if setup fails. The pool does not: if the server requests a password and the
 * URL has none, the connection would stay open for a minute.
 */
export function clientClass({ channelBinding }: DatabaseTarget): new (config?: pg.ClientConfig) => pg.Client {
  return class EndingClient extends pg.Client {
    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error | null) => void): void;
    override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | void {
      const connecting = callback
        ? super.connect((error: Error | null) => {
            if (error) this.end().catch(ignore);
            callback(error);
          })
        : super.connect();
      if (channelBinding === 'require') requireChannelBinding(this);
      return connecting;
    }
  };
}

function ignore(): void {}
