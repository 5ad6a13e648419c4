import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../dev/ports.ts';
import { spawnOwned } from '../../dev/owned-process.ts';
import { until } from './poll.ts';

/** Debian's path of PgBouncer; undefined if it is not installed, and tests that need it are skipped. */
export const pgbouncerPath = find();

function find(): string | undefined {
  for (const path of ['pgbouncer', '/usr/sbin/pgbouncer'])
    try {
      execFileSync(path, ['--version'], { stdio: 'ignore' });
      return path;
    } catch {
      continue;
    }
  return undefined;
}

export interface PgBouncer {
  /** The database's URL through the pooler. */
  url(database: string): URL;
  /** Sets the password that clients of this role use, and that the pooler uses at the server. */
  setPassword(role: string, password: string): Promise<void>;
  /** Kills it with SIGKILL, which closes every connection. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real PgBouncer in front of a server, with default settings except the pool mode. */
export async function startPgBouncer(
  server: string,
  poolMode: 'session' | 'transaction',
  settings: Readonly<Record<string, string>> = {},
): Promise<PgBouncer> {
  const behind = new URL(server);
  const folder = await mkdtemp(join(tmpdir(), 'flow-trail-pgbouncer-'));
  const port = await freePort();
  const config = join(folder, 'pgbouncer.ini');
  const passwords = new Map([[behind.username, behind.password]]);
  const writeUsers = () =>
    writeFile(
      join(folder, 'users.txt'),
      [...passwords].map(([role, password]) => `"${role}" "${password}"\n`).join(''),
    );
  await writeUsers();
  await writeFile(
    config,
    [
      '[databases]',
      `* = host=127.0.0.1 port=${behind.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = plain',
      `auth_file = ${join(folder, 'users.txt')}`,
      `pool_mode = ${poolMode}`,
      ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ].join('\n'),
  );
  // PgBouncer refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  await chmod(folder, 0o755);
  const launch = async () => {
    const started = await spawnOwned({
      command: pgbouncerPath ?? 'pgbouncer',
      args: [config],
      ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
      stopSignal: 'SIGTERM',
    });
    await until(
      'PgBouncer listens',
      () => started.lastLines().find((line) => line.includes(`listening on 127.0.0.1:${port}`)),
      10_000,
    );
    return started;
  };
  let pooler = await launch();
  const url = (database: string): URL => {
    const through = new URL(server);
    through.port = String(port);
    through.pathname = `/${database}`;
    return through;
  };
  return {
    url,
    async setPassword(role, password) {
      passwords.set(role, password);
      await writeUsers();
      pooler.signal('SIGHUP');
    },
    async kill() {
      pooler.signal('SIGKILL');
      await pooler.exited;
    },
    async start() {
      pooler = await launch();
    },
    async stop() {
      await pooler.stop(2_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
