import { open, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolder } from '../src/cli/output/create-folder.ts';
import { errorCode } from '../src/failure/thrown.ts';
import { isRunning, readPidFile } from './leftover.ts';
import { startFailure } from './start-failure.ts';

const NEEDED_BYTES = 300e6;

/** The directory for everything that `npm start` stores, locked for one process. */
export interface StateDirectory {
  readonly path: string;
  /** A path in the directory. */
  in(...names: string[]): string;
  release(): Promise<void>;
}

/**
 * Locks the state directory for this process. The lock of a killed process is taken over. Throws StartFailure if
 * another process uses the directory, if it is not writable, or if the disk is full.
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  try {
    await createFolder(join(path, 'logs'));
    const { bavail, bsize } = await statfs(path);
    if (bavail * bsize < NEEDED_BYTES) {
      throw startFailure(
        `Only ${Math.round((bavail * bsize) / 1e6)} MB are free on the disk of ${path}`,
        `Free at least ${NEEDED_BYTES / 1e6} MB on that disk.`,
      );
    }
    await lock(join(path, 'lock'));
  } catch (error) {
    throw explain(error, path);
  }
  return {
    path,
    in: (...names) => join(path, ...names),
    release: () => rm(join(path, 'lock'), { force: true }),
  };
}

async function lock(path: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      const pid = await readPidFile(path);
      if (pid !== undefined && (await isRunning({ pid, marks: ['dev/main'] }))) {
        throw startFailure(
          `another npm start is already running here (process ${pid})`,
          `Stop it with Ctrl-C in its terminal, or with: kill ${pid}`,
        );
      }
      await rm(path, { force: true });
    }
  }
  throw startFailure(
    `${path} reappears after it was removed`,
    'Check whether another npm start is starting.',
  );
}

function explain(error: unknown, path: string): unknown {
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    // Node's error for nested directories on a read-only file system.
    case 'ENOENT':
      return startFailure(
        `${path} cannot be written by this user`,
        'Run npm start as the owner of the checkout, or delete the directory if another user created it.',
        { cause: error },
      );
    case 'ENOSPC':
      return startFailure(`The disk of ${path} is full`, `Free at least ${NEEDED_BYTES / 1e6} MB.`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** Writes a secret to a file that only this user may read. */
export async function writeSecret(path: string, content: string): Promise<void> {
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known === content) return;
  await rm(path, { force: true });
  await writeFile(path, content, { mode: 0o600, flag: 'wx' });
}
