import { randomBytes } from 'node:crypto';
import { access, chmod, chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnOwned } from '../owned-process.ts';
import { startFailure } from '../start-failure.ts';
import type { RunAs } from './run-as.ts';
import { diagnose } from './server-ended.ts';

/** The superuser of every cluster created here. */
export const POSTGRES_USER = 'postgres';

/** Stored next to its cluster, so that both are moved and deleted together. */
export async function keptPassword(home: string): Promise<string> {
  const path = join(home, 'password');
  if (!(await exists(path))) await writeFile(path, `${randomBytes(18).toString('hex')}\n`, { mode: 0o600 });
  return (await readFile(path, 'utf8')).trim();
}

/** Runs initdb in a temporary directory and renames it when complete, so that an interrupted start leaves no partial cluster. */
export async function initialise(
  { user, binaries, home }: RunAs,
  cluster: string,
  password: string,
): Promise<void> {
  const draft = join(home, 'cluster.new');
  const passwordFile = join(home, 'password.new');
  await rm(draft, { recursive: true, force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await chmod(passwordFile, 0o600);
  if (user) await chown(passwordFile, user.uid, user.gid);
  try {
    const initdb = await spawnOwned({
      command: join(binaries, 'initdb'),
      args: [
        ...[
          '--pgdata',
          draft,
          '--username',
          POSTGRES_USER,
          '--pwfile',
          passwordFile,
          '--auth',
          'scram-sha-256',
        ],
        ...['--encoding', 'UTF8', '--locale', 'C', '--no-instructions'],
      ],
      cwd: home,
      env: { ...process.env, LC_ALL: 'C' },
      ...user,
    });
    const { code } = await initdb.exited;
    if (code !== 0) throw diagnose(initdb.lastLines(), 'PostgreSQL could not initialise its data');
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rm(cluster, { recursive: true, force: true });
  await rename(draft, cluster);
}

/** @throws StartFailure if a different major version created the cluster */
export async function checkVersion(cluster: string, version: string): Promise<void> {
  const made = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  const major = version.split('.')[0];
  if (major !== undefined && major !== made) {
    throw startFailure(
      `The data in ${cluster} was created by PostgreSQL ${made}, but this is PostgreSQL ${major}`,
      `Delete ${cluster} to start with an empty database, or set DATABASE_URL to your own PostgreSQL.`,
    );
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
