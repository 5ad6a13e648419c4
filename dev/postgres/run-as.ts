import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode, errorText } from '../../src/failure/thrown.ts';
import { startFailure } from '../start-failure.ts';
import type { PostgresBinaries } from './binaries.ts';

const execute = promisify(execFile);

/** Used by root for files that an unprivileged user must access. */
const SHARED_ROOT = '/var/lib/goldmane-flow-trail';

/** The user that runs PostgreSQL (the current user if undefined), the binaries, and the location of its files. */
export interface RunAs {
  user: { uid: number; gid: number } | undefined;
  binaries: string;
  /** A directory owned by that user; contains the cluster. */
  home: string;
}

/**
 * PostgreSQL refuses to run as root. For root, this chooses the user `postgres` or `nobody` and creates a directory for
 * it in `dataDir`. If that user cannot access it (a checkout below /root or in a private temporary directory), the
 * directory is in /var/lib instead, with a copy of the binaries.
 */
export async function findRunAs(dataDir: string, binaries: PostgresBinaries): Promise<RunAs> {
  const home = join(dataDir, 'home');
  if (process.getuid?.() !== 0) {
    await mkdir(home, { recursive: true, mode: 0o700 });
    return { user: undefined, binaries: join(binaries.root, 'bin'), home };
  }
  // Contains the name of the directory in /var/lib once it is in use; deleting `dataDir` resets that directory, too.
  const marker = join(dataDir, 'elsewhere');
  const isElsewhere = await exists(marker);
  const remote = join(SHARED_ROOT, digest(await realpath(dataDir)));
  const user = (await ownerOf(isElsewhere ? remote : home)) ?? (await unprivilegedUser());
  if (!isElsewhere) {
    // Executable but not readable for others: the directory is ours (often from mkdtemp), and its content has its own
    // modes.
    await chmod(dataDir, 0o711);
    const local = { user, binaries: join(binaries.root, 'bin'), home };
    await prepareHome(home, user);
    if (await isReachable(local)) return local;
    await rm(home, { recursive: true, force: true });
    await rm(remote, { recursive: true, force: true });
  }
  await prepareHome(remote, user);
  await writeFile(marker, `${remote}\n`);
  const moved = { user, binaries: join(await copyBinaries(binaries), 'bin'), home: remote };
  if (await isReachable(moved)) return moved;
  throw startFailure(
    `PostgreSQL must not run as root, and the user with id ${user.uid} can access neither ${home} nor ${remote}`,
    'Run npm start as a non-root user, or set DATABASE_URL to your own PostgreSQL.',
  );
}

async function prepareHome(home: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o755 });
  await chown(home, uid, gid);
}

async function isReachable({ user, binaries, home }: RunAs): Promise<boolean> {
  try {
    await execute(join(binaries, 'postgres'), ['--version'], { ...user, cwd: '/' });
    await execute('/bin/sh', ['-c', 'cd "$1" && [ -w . ]', 'sh', home], { ...user, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

async function copyBinaries({ root, version }: PostgresBinaries): Promise<string> {
  const target = join(SHARED_ROOT, `postgresql-${version}-${process.arch}`);
  if (await exists(target)) return target;
  const draft = `${target}.${process.pid}`;
  await cp(root, draft, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  });
  await rename(draft, target).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  });
  return target;
}

/** The user that owns the directory after an earlier run. */
async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return uid === 0 ? undefined : { uid, gid };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  let reason = '';
  for (const name of ['postgres', 'nobody']) {
    try {
      const uid = Number((await execute('id', ['-u', name])).stdout);
      const gid = Number((await execute('id', ['-g', name])).stdout);
      if (Number.isInteger(uid) && Number.isInteger(gid) && uid > 0) return { uid, gid };
    } catch (error) {
      reason = errorText(error).trim();
    }
  }
  throw startFailure(
    `PostgreSQL must not run as root, and neither the user postgres nor the user nobody exists (${reason})`,
    'Run npm start as a non-root user, or set DATABASE_URL to your own PostgreSQL.',
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
